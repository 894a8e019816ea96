// Clients that know nothing but the issuer: openid-client, oauth4webapi and jose find out the rest by themselves.
// Usage: node discovery.mjs SCENARIO, with {issuer, app} as JSON on standard input.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { webcrypto } from 'node:crypto'

globalThis.crypto ??= webcrypto // Debian 12's Node 18 has neither for all
globalThis.CryptoKey ??= webcrypto.CryptoKey
const openid = await import('openid-client')
const oauth = await import('oauth4webapi')
const jose = await import('jose')

const { issuer, app, key, api } = JSON.parse(readFileSync(0, 'utf8'))
const http = { [oauth.allowInsecureRequests]: true } // the test server speaks http on loopback
const scope = app.scopes.join(' ')

const discover = auth => openid.discovery(new URL(issuer), app.client_id, app.client_secret, auth,
  { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] })

const metadata = async () => oauth.processDiscoveryResponse(new URL(issuer),
  await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...http }))

// The way to the code and back, with all that the library checks: state, iss, PKCE.
async function install (config, more = {}) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const state = openid.randomState()
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: app.redirect_uri, scope, state, code_challenge_method: 'S256',
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier), ...more
  })
  const answer = await fetch(url, { redirect: 'manual' })
  assert.ok([302, 303].includes(answer.status), `status ${answer.status}`)
  return openid.authorizationCodeGrant(config, new URL(answer.headers.get('location')), { pkceCodeVerifier, expectedState: state })
}

async function roundTrip (auth) {
  const config = await discover(auth)
  const first = await install(config)
  assert.equal(first.token_type, 'bearer')
  const second = await openid.refreshTokenGrant(config, first.refresh_token)
  assert.notEqual(second.access_token, first.access_token)
  const info = await openid.tokenIntrospection(config, second.access_token)
  assert.equal(info.active, true)
  assert.equal(info.client_id, app.client_id)
  await openid.tokenRevocation(config, second.access_token)
  assert.deepEqual({ ...await openid.tokenIntrospection(config, second.access_token) }, { active: false })
  const own = await openid.clientCredentialsGrant(config, { scope })
  assert.ok(own.access_token)
}

// What an API does with a signed token: the published keys, and RFC 9068.
async function verify (token, subject, audience = issuer) {
  const as = await metadata()
  const keys = jose.createRemoteJWKSet(new URL(as.jwks_uri))
  const { payload, protectedHeader } = await jose.jwtVerify(token, keys, {
    issuer, audience, typ: 'at+jwt', algorithms: ['ES256'], requiredClaims: ['exp', 'iat', 'jti', 'sub', 'client_id']
  })
  assert.equal(payload.client_id, app.client_id)
  assert.equal(payload.sub, subject)
  assert.equal(payload.scope.split(' ').sort().join(' '), scope.split(' ').sort().join(' '))
  assert.ok(protectedHeader.kid)
  assert.ok(token.length <= 512)
  const request = new Request('https://api.example/', { headers: { authorization: `Bearer ${token}` } })
  const claims = await oauth.validateJwtAccessToken(as, request, audience, http)
  assert.equal(claims.jti, payload.jti)
}

const privateKey = async () => ({ key: await crypto.subtle.importKey('jwk', key, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']), kid: key.kid })

const scenarios = {
  async privateKeyJwt () {
    await roundTrip(openid.PrivateKeyJwt(await privateKey()))
  },
  secretPost: () => roundTrip(openid.ClientSecretPost(app.client_secret)),
  secretBasic: () => roundTrip(openid.ClientSecretBasic(app.client_secret)),
  async signedTokens () {
    const config = await discover(openid.ClientSecretPost(app.client_secret))
    const tokens = await install(config)
    await verify(tokens.access_token, String(tokens.user_id))
    await verify((await openid.refreshTokenGrant(config, tokens.refresh_token)).access_token, String(tokens.user_id))
    await verify((await openid.clientCredentialsGrant(config, { scope })).access_token, app.client_id)
    assert.equal((await openid.tokenIntrospection(config, tokens.access_token)).active, true)
    await openid.tokenRevocation(config, tokens.access_token)
    assert.equal((await openid.tokenIntrospection(config, tokens.access_token)).active, false)
  },
  // RFC 8707: the API asked for signed tokens, the app was not set to them.
  async resources () {
    const config = await discover(openid.ClientSecretPost(app.client_secret))
    const tokens = await install(config, { resource: api })
    await verify(tokens.access_token, String(tokens.user_id), api)
    const again = await openid.refreshTokenGrant(config, tokens.refresh_token, { resource: api })
    await verify(again.access_token, String(tokens.user_id), api)
    assert.equal((await openid.tokenIntrospection(config, again.access_token)).aud, api)
    await verify((await openid.clientCredentialsGrant(config, { scope, resource: api })).access_token, app.client_id, api)
    for (const refused of [{ resource: 'https://elsewhere.example' }, { resource: `${api}#x` }]) {
      await assert.rejects(openid.refreshTokenGrant(config, tokens.refresh_token, refused), { error: 'invalid_target' })
      await assert.rejects(install(config, refused), { error: 'invalid_target' })
    }
  }
}

await scenarios[process.argv[2]]()
