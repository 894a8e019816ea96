"""Many at once for the same thing."""
import collections

import pytest

import harness

MANY = 64


def statuses(answers):
    return collections.Counter(answer.status for answer in answers)


def test_one_code_redeemed_by_many(dev):
    """norm: C02 C04"""
    for _ in range(3):
        pkce = harness.Pkce()
        code = dev.confidential.code(**pkce.asked)
        answers = harness.in_parallel(MANY, lambda i: dev.confidential.redeem(code, code_verifier=pkce.verifier))
        assert statuses(answers) == {200: 1, 400: MANY - 1}
        assert {a.json["status"] for a in answers if a.status == 400} == {"BAD_AUTH_CODE"}


def test_one_code_and_many_who_may_not(dev):
    """Wrong verifiers beside the right one: exactly one wins, and what it got stays alive. norm: C05"""
    pkce = harness.Pkce()
    code = dev.confidential.code(**pkce.asked)
    verifiers = [pkce.verifier if i == 7 else harness.Pkce().verifier for i in range(MANY)]
    answers = harness.in_parallel(MANY, lambda i: dev.confidential.redeem(code, code_verifier=verifiers[i]))
    assert statuses(answers) == {200: 1, 400: MANY - 1} and answers[7].status == 200
    assert dev.confidential.is_active(answers[7].json["access_token"])


def test_one_rotating_token_refreshed_by_many(dev):
    """One line of tokens comes out, and nobody is signed out. norm: F05 F15"""
    app = dev.new_app("--rotate")
    token = app.install()["refresh_token"]
    for _ in range(5):
        answers = harness.in_parallel(MANY, lambda i: app.refresh(token))
        assert statuses(answers) == {200: MANY}
        successors = {a.json["refresh_token"] for a in answers}
        assert len(successors) == 1 and token not in successors
        assert all(app.is_active(a.json["access_token"]) for a in answers[:4])
        token = successors.pop()


def test_one_stable_token_refreshed_by_many(dev):
    token = dev.confidential.install()["refresh_token"]
    answers = harness.in_parallel(MANY, lambda i: dev.confidential.refresh(token))
    assert statuses(answers) == {200: MANY}
    assert {a.json["refresh_token"] for a in answers} == {token}
    assert len({a.json["access_token"] for a in answers}) == MANY


@pytest.mark.parametrize("options", [(), ("--rotate",), ("--rotate", "--retry-window", "0s")], ids=["stable", "rotating", "no-window"])
def test_revocation_racing_a_refresh(dev, options):
    """Whoever is first: after both answers nothing of the grant lives. norm: V15 V06"""
    app = dev.new_app(*options)
    rounds = 70
    connections = [app.api.connect() for _ in range(2)]
    for number in range(rounds):
        got = app.install(connections[0])
        target = got["refresh_token"]
        pair = harness.in_parallel(
            2, lambda i: app.refresh(target, connections[0]) if i == 0 else app.revoke(target, connections[1]))
        assert pair[1].status == 200 and pair[0].status in (200, 400), number
        tokens = [got["access_token"], target]
        if pair[0].status == 200:
            tokens += [pair[0].json["access_token"], pair[0].json["refresh_token"]]
        assert not [t for t in tokens if app.is_active(t, connections[0])], number
        assert app.refresh(tokens[-1], connections[0]).status == 400
    for connection in connections:
        connection.close()


def test_uninstall_racing_a_redemption(dev):
    """norm: C14 I16"""
    app = dev.new_app()
    bearer = app.install()["access_token"]
    for _ in range(20):
        code = app.code()
        pair = harness.in_parallel(2, lambda i: app.redeem(code) if i == 0 else app.uninstall(bearer))
        assert pair[1].status == 204
        if pair[0].status == 200:
            assert not app.is_active(pair[0].json["access_token"])
            assert app.refresh(pair[0].json["refresh_token"]).json["status"] == "BAD_HUB"
        bearer = app.install()["access_token"]
