// HubSpot's own client library against grantd; nothing of it is changed but the base path.
// Usage: node hubspot.mjs PACKAGE SCENARIO, with the JSON line of `grantd dev` on standard input.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const [, , packageName, scenario] = process.argv
const { Client } = (await import(packageName)).default
const info = JSON.parse(readFileSync(0, 'utf8'))
const app = info.apps.confidential
const hubspot = new Client({ basePath: info.issuer, accessToken: 'unused' })
const { tokensApi, accessTokensApi, refreshTokensApi } = hubspot.oauth

// What the browser does: follow the address that the library makes, up to the redirect back to the app.
async function consent () {
  const made = new URL(hubspot.oauth.getAuthorizationUrl(app.client_id, app.redirect_uri, app.scopes.join(' '), undefined, 'a state'))
  const answer = await fetch(info.issuer + made.pathname + made.search, { redirect: 'manual' })
  assert.ok([302, 303].includes(answer.status), `status ${answer.status}`)
  const back = new URL(answer.headers.get('location'))
  assert.equal(back.searchParams.get('state'), 'a state')
  return back.searchParams.get('code')
}

const redeem = code => tokensApi.create('authorization_code', code, app.redirect_uri, app.client_id, app.client_secret)
const refresh = token => tokensApi.create('refresh_token', undefined, undefined, app.client_id, app.client_secret, token)

async function refused (promise, code, message) {
  const error = await promise.then(() => assert.fail('was not refused'), error => error)
  assert.equal(error.code, code, String(error))
  assert.match(error.body.correlationId, /^[0-9a-f-]{36}$/)
  assert.match(error.body.message, message)
  assert.ok(error.body.category)
  assert.equal(error.headers['x-hubspot-correlation-id'], error.body.correlationId)
}

const scenarios = {
  async roundTrip () {
    const got = await redeem(await consent())
    assert.equal(got.expiresIn, 1800)
    assert.equal(got.tokenType, 'bearer')
    assert.ok(got.accessToken && got.refreshToken)
    const again = await refresh(got.refreshToken)
    assert.equal(again.refreshToken, got.refreshToken)
    assert.notEqual(again.accessToken, got.accessToken)
  },
  async information () {
    const got = await redeem(await consent())
    const access = await accessTokensApi.get(got.accessToken)
    assert.equal(access.hubId, info.account.hub_id)
    assert.equal(access.userId, info.user.user_id)
    assert.equal(access.user, info.user.email)
    assert.equal(access.hubDomain, info.account.domain)
    assert.deepEqual([...access.scopes].sort(), [...app.scopes].sort())
    assert.ok(access.expiresIn > 1700 && access.appId === app.app_id)
    const token = await refreshTokensApi.get(got.refreshToken)
    assert.equal(token.clientId, app.client_id)
    assert.equal(token.hubId, info.account.hub_id)
  },
  async archive () {
    const got = await redeem(await consent())
    assert.equal(await refreshTokensApi.archive(got.refreshToken), undefined)
    await refused(refresh(got.refreshToken), 400, /^refresh token is invalid, expired or revoked$/)
    await refused(refreshTokensApi.get(got.refreshToken), 404, /unknown/)
  },
  async errors () {
    const code = await consent()
    await redeem(code)
    await refused(redeem(code), 400, /^missing or unknown auth code$/)
    await refused(redeem('nonsense'), 400, /^missing or unknown auth code$/)
    await refused(refresh('nonsense'), 400, /^refresh token is invalid, expired or revoked$/)
    await refused(tokensApi.create('nonsense', undefined, undefined, app.client_id, app.client_secret), 400, /^missing or unknown grant type$/)
    await refused(tokensApi.create('refresh_token', undefined, undefined, app.client_id, 'wrong', 'x'), 400, /^missing or unknown client secret$/)
    await refused(accessTokensApi.get('nonsense'), 400, /correct format$/)
  }
}

await scenarios[scenario]()
