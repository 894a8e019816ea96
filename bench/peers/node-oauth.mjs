// @node-oauth/oauth2-server with its model in memory, behind plain http and the parser of forms that Node comes with.
import { randomBytes } from 'node:crypto';
import { parse } from 'node:querystring';
import OAuth2Server from '@node-oauth/oauth2-server';
import { CLIENT, serve } from './prepare.mjs';

const client = { id: CLIENT.id, grants: ['authorization_code', 'refresh_token', 'client_credentials'], redirectUris: [CLIENT.redirect] };
const codes = new Map(), refresh = new Map(), access = new Map();

const server = new OAuth2Server({
  accessTokenLifetime: 1800,
  alwaysIssueNewRefreshToken: false,
  model: {
    getClient: async (id, secret) => (id === CLIENT.id && (secret === null || secret === CLIENT.secret) ? client : false),
    getUserFromClient: async () => ({ id: 'someone' }),
    getAuthorizationCode: async (code) => codes.get(code),
    revokeAuthorizationCode: async (code) => codes.delete(code.code ?? code.authorizationCode),
    getRefreshToken: async (token) => refresh.get(token),
    revokeToken: async () => true,
    getAccessToken: async (token) => access.get(token),
    saveToken: async (token, of, user) => {
      const saved = { ...token, client: of, user };
      access.set(token.accessToken, saved);
      if (token.refreshToken) refresh.set(token.refreshToken, saved);
      return saved;
    },
    validateScope: async (_user, _client, scope) => scope ?? ['oauth'],
  },
});

async function token(request, response, body) {
  const asked = new OAuth2Server.Request({ method: request.method, query: {}, headers: request.headers, body: parse(body) });
  const answer = new OAuth2Server.Response({});
  try {
    await server.token(asked, answer);
  } catch (error) {
    answer.status = error.code ?? 500;
  }
  response.writeHead(answer.status, { ...answer.headers, 'content-type': 'application/json' });
  response.end(JSON.stringify(answer.body));
}

function handle(request, response) {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => token(request, response, Buffer.concat(parts).toString()));
}

const later = () => new Date(Date.now() + 1209600000);

serve(handle, {
  code: async () => {
    const code = randomBytes(20).toString('hex');
    codes.set(code, { authorizationCode: code, code, expiresAt: later(), redirectUri: CLIENT.redirect, scope: ['oauth'], client, user: { id: 'someone' } });
    return code;
  },
  tokens: async () => {
    const made = randomBytes(20).toString('hex');
    refresh.set(made, { refreshToken: made, refreshTokenExpiresAt: later(), scope: ['oauth'], client, user: { id: 'someone' } });
    return { refresh: made, access: '' };
  },
});
