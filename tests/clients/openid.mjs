// OpenID Connect by openid-client, which knows nothing but the issuer and checks what Core tells a client to check, signatures too.
// Usage: node openid.mjs SCENARIO, with {issuer, app, alg} as JSON on standard input.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { webcrypto } from 'node:crypto'

globalThis.crypto ??= webcrypto // Debian 12's Node 18 has neither for all
globalThis.CryptoKey ??= webcrypto.CryptoKey
const openid = await import('openid-client')
const { issuer, app, alg, signed_out: signedOut } = JSON.parse(readFileSync(0, 'utf8'))

// The library says the reason in the error, or in its cause.
const says = words => error => words.test(`${error.message} ${error.cause?.message}`)

async function discover (more = {}) {
  return openid.discovery(new URL(issuer), app.client_id, { client_secret: app.client_secret, id_token_signed_response_alg: alg, ...more },
    openid.ClientSecretBasic(app.client_secret), { execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks] })
}

// The way to the code; what the app has to remember of it.
async function ask (config, more = {}) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const expectedState = openid.randomState()
  const expectedNonce = openid.randomNonce()
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: app.redirect_uri, scope: 'openid email profile', state: expectedState, nonce: expectedNonce, code_challenge_method: 'S256',
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier), ...more
  })
  const answer = await fetch(url, { redirect: 'manual' })
  assert.ok([302, 303].includes(answer.status), `status ${answer.status}`)
  return { address: new URL(answer.headers.get('location')), checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true } }
}

async function signIn (config, more) {
  const { address, checks } = await ask(config, more)
  return openid.authorizationCodeGrant(config, address, checks)
}

const scenarios = {
  async whole () {
    const config = await discover()
    assert.equal(config.serverMetadata().issuer, issuer)
    const tokens = await signIn(config)
    const claims = tokens.claims()
    assert.equal(claims.sub, String(tokens.user_id))
    assert.equal(claims.aud, app.client_id)
    const person = await openid.fetchUserInfo(config, tokens.access_token, claims.sub)
    assert.ok(person.email && person.name && person.email_verified === false)
    const again = await openid.refreshTokenGrant(config, tokens.refresh_token)
    assert.equal(again.claims().sub, claims.sub)
    assert.equal(again.claims().auth_time, claims.auth_time)
    await assert.rejects(openid.fetchUserInfo(config, again.access_token, 'somebody else'), says(/sub/))
    const url = openid.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: signedOut, state: 'x' })
    const answer = await fetch(url, { redirect: 'manual' })
    assert.equal(answer.headers.get('location'), `${signedOut}?state=x`)
  },
  async claims () {
    const config = await discover()
    const claims = JSON.stringify({ userinfo: { name: { essential: true } }, id_token: { email: null, auth_time: { essential: true } } })
    const tokens = await signIn(config, { scope: 'openid', claims, max_age: '3600' })
    assert.ok(tokens.claims().email && tokens.claims().auth_time && !tokens.claims().name)
    assert.ok((await openid.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)).name)
  },
  // what the library must find out by itself, if the server or somebody between had it wrong
  async mismatches () {
    const config = await discover()
    const first = await ask(config)
    await assert.rejects(openid.authorizationCodeGrant(config, first.address, { ...first.checks, expectedNonce: 'another' }), says(/nonce/))
    const second = await ask(config, { nonce: '' })
    await assert.rejects(openid.authorizationCodeGrant(config, second.address, second.checks), says(/nonce/))
    const third = await ask(config)
    const wrong = await discover({ id_token_signed_response_alg: alg === 'ES256' ? 'RS256' : 'ES256' })
    await assert.rejects(openid.authorizationCodeGrant(wrong, third.address, third.checks), says(/alg/))
    const fourth = await ask(config)
    fourth.address.searchParams.set('iss', 'https://other.example')
    await assert.rejects(openid.authorizationCodeGrant(config, fourth.address, fourth.checks), says(/iss/))
  },
  async silent () {
    const config = await discover()
    const hint = (await signIn(config)).id_token
    const tokens = await signIn(config, { prompt: 'none', id_token_hint: hint })
    assert.ok(tokens.claims().sub)
    const { address, checks } = await ask(config, { prompt: 'none', id_token_hint: hint.slice(0, -8) + 'AAAAAAAA' })
    await assert.rejects(openid.authorizationCodeGrant(config, address, checks), error => error.error === 'login_required')
  }
}

await scenarios[process.argv[2]]()
