// oidc-provider with everything in memory: opaque tokens, stable refresh tokens, no ID tokens, no interactions.
import { Provider } from 'oidc-provider';
import { CLIENT, serve } from './prepare.mjs';

const stores = new Map();

// The smallest adapter that its documentation allows. Entries of a run outlive the run, so nothing expires here.
class MemoryAdapter {
  constructor(name) {
    this.map = stores.get(name) ?? stores.set(name, new Map()).get(name);
  }
  async upsert(id, payload) { this.map.set(id, payload); }
  async find(id) { return this.map.get(id); }
  async consume(id) { this.map.get(id).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { this.map.delete(id); }
  async revokeByGrantId(grantId) { for (const [id, payload] of this.map) if (payload.grantId === grantId) this.map.delete(id); }
  async findByUserCode() { return undefined; }
  async findByUid() { return undefined; }
}

const provider = new Provider(`http://127.0.0.1:${process.argv[2]}`, {
  adapter: MemoryAdapter,
  clients: [{
    client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [CLIENT.redirect], token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'], response_types: ['code'],
  }],
  scopes: ['oauth'],
  features: {
    devInteractions: { enabled: false }, clientCredentials: { enabled: true }, introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
  },
  pkce: { required: () => false },
  rotateRefreshToken: false,
  issueRefreshToken: async () => true,
  findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  ttl: { AccessToken: 1800, AuthorizationCode: 600, ClientCredentials: 1800, RefreshToken: 1209600, Grant: 1209600 },
});

async function common() {
  const grant = new provider.Grant({ accountId: 'someone', clientId: CLIENT.id });
  grant.addOIDCScope('oauth');
  return { accountId: 'someone', client: await provider.Client.find(CLIENT.id), grantId: await grant.save(), scope: 'oauth', gty: 'authorization_code' };
}

serve(provider.callback(), {
  code: async () => new provider.AuthorizationCode({ ...await common(), redirectUri: CLIENT.redirect }).save(),
  tokens: async () => {
    const about = await common();
    return { refresh: await new provider.RefreshToken(about).save(), access: await new provider.AccessToken(about).save() };
  },
});
