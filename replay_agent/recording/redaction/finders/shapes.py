"""Tokens that show by their form what they are.

Each begins with a mark, which is looked for first; a run of its characters follows, and code judges the run. Nothing is
read twice: behind a run that was judged, whatever the verdict, the search goes on at its end.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby
from typing import NamedTuple

from replay_agent.recording.redaction.finders.clues import Clues, Rule
from replay_agent.recording.redaction.finders.long_words import find_in_words, words_at
from replay_agent.recording.redaction.finders.marked_within import find_marked_within
from replay_agent.recording.redaction.finders.sieve import anchored
from replay_agent.recording.redaction.looks import is_minted, is_opaque, is_password_of, is_stand_in, is_wordy
from replay_agent.recording.redaction.spans import Span, Spans

__all__ = (
    "BEHIND_BACKSLASHES",
    "SHAPES",
    "URL_PASSWORDS",
    "find_behind_backslashes",
    "find_shapes",
    "find_url_passwords",
    "tokens",
)


class _Shape(NamedTuple):
    """Tokens of one kind: their marks, the characters that follow one, how many of these, and what they must be besides."""

    rule: str
    marks: tuple[bytes, ...]
    characters: str
    shortest: int
    longest: int
    is_one: Callable[[str], bool]


_WORD = "A-Za-z0-9"
_DASHED = r"A-Za-z0-9_\-"


def _any(_run: str) -> bool:
    return True


def _made(run: str) -> bool:
    """Tell whether what follows a mark that is also a word's end was made by a machine."""
    return any(map(str.isdigit, run)) and any(map(str.isalpha, run)) and not is_wordy(run)


def _no_words(run: str) -> bool:
    return not is_wordy(run)


def _letters(run: str) -> bool:
    """Tell whether a run is as long as tokens of Hugging Face are, which have few digits or none."""
    return (len(run) == 34 and not run.islower() and not run.isupper()) or not is_wordy(run)


def _two_parts(run: str) -> bool:
    first, dot, second = run.partition(".")
    return bool(dot) and len(first) >= 16 and len(second) >= 16


def _shape(
    rule: str,
    marks: str,
    characters: str,
    shortest: int,
    longest: int = 300,
    is_one: Callable[[str], bool] = _no_words,
) -> _Shape:
    return _Shape(rule, tuple(mark.encode() for mark in marks.split()), characters, shortest, longest, is_one)


def _client_secret(run: str) -> bool:
    return "_secret_" in run and _made(run.rpartition("_")[2])


def _team_and_key(run: str) -> bool:
    team, _, key = run.partition("_")
    return team.isdigit() and len(key) == 32


_HEX, _UPPER, _UUID = "a-f0-9", "A-Z0-9", r"a-f0-9\-"
_SHAPES = (
    _shape("anthropic-key", "sk-ant-", _DASHED, 12),
    _shape("openrouter-key", "sk-or-", _DASHED, 12),
    _shape("openai-key", "sk-proj- sk-svcacct- sk-admin- sk-None-", _DASHED, 12),
    _shape("openai-key", "sk-", _DASHED, 20, 300, _made),
    _shape("openai-organization", "org-", _WORD, 20, 40, _made),
    _shape("openai-project", "proj_", _WORD, 20, 40, _made),
    _shape("google-key", "AIza", _DASHED, 30, 45),
    _shape("google-token", "ya29.", r"A-Za-z0-9_\-.", 20, 4000),
    _shape("google-client-secret", "GOCSPX-", _DASHED, 20, 60),
    _shape("aws-access-key", "AKIA ASIA ABIA ACCA", "A-Z0-9", 16, 16, _any),
    _shape("aws-bedrock-key", "ABSK", r"A-Za-z0-9+/=", 90, 300),
    _shape("huggingface-token", "hf_ api_org_", _WORD, 20, 60, _letters),
    _shape("groq-key", "gsk_", _WORD, 20, 100),
    _shape("xai-key", "xai-", _WORD, 20, 120),
    _shape("cerebras-key", "csk-", _WORD, 20, 100, _made),
    _shape("perplexity-key", "pplx-", _WORD, 20, 100),
    _shape("fireworks-key", "fw_", _WORD, 20, 60, _made),
    _shape("nvidia-key", "nvapi-", _DASHED, 20, 100),
    _shape("replicate-token", "r8_", _WORD, 20, 60),
    _shape("tavily-key", "tvly-", _DASHED, 16, 80),
    _shape("voyage-key", "pa-", _DASHED, 40, 60, _made),
    _shape("langsmith-key", "lsv2_pt_ lsv2_sk_", "A-Za-z0-9_", 20, 80),
    _shape("langfuse-key", "sk-lf- pk-lf-", _DASHED, 30, 50),
    _shape("logfire-token", "pylf_", "A-Za-z0-9_", 20, 80),
    _shape("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", _WORD, 20, 1200),
    _shape("github-token", "github_pat_", "A-Za-z0-9_", 20, 120),
    _shape("gitlab-token", "glpat-", r"A-Za-z0-9_\-.", 16, 80),
    _shape("slack-token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xoxe.", r"A-Za-z0-9\-.", 10, 250),
    _shape("slack-token", "xapp-", r"A-Za-z0-9\-", 20, 200),
    _shape(
        "slack-webhook",
        "hooks.slack.com/services/ hooks.slack.com/workflows/ hooks.slack.com/triggers/",
        "A-Za-z0-9/",
        20,
        120,
        _any,
    ),
    _shape("webhook", "discord.com/api/webhooks/ discordapp.com/api/webhooks/", r"A-Za-z0-9/_\-", 40, 200, _any),
    _shape("webhook", "webhook.office.com/webhookb2/", r"A-Za-z0-9/@\-", 60, 300, _any),
    _shape("webhook", "hooks.zapier.com/hooks/catch/", "A-Za-z0-9/", 8, 60, _any),
    _shape("stripe-key", "sk_live_ rk_live_ sk_test_ rk_test_", _WORD, 16, 250),
    _shape("stripe-webhook", "whsec_", "A-Za-z0-9+/=", 16, 100),
    _shape("sendgrid-key", "SG.", r"A-Za-z0-9_\-.", 33, 100, _two_parts),
    _shape("npm-token", "npm_", _WORD, 30, 60),
    _shape("pypi-token", "pypi-", _DASHED, 40, 300),
    _shape("digitalocean-token", "dop_v1_ doo_v1_ dor_v1_", "a-f0-9", 32, 80),
    _shape("shopify-token", "shpat_ shpss_ shpca_ shppa_", "A-Fa-f0-9", 16, 64),
    _shape("notion-token", "ntn_", _WORD, 30, 60),
    _shape("linear-key", "lin_api_", _WORD, 20, 60),
    _shape("airtable-token", "pat", r"A-Za-z0-9.", 70, 90, lambda run: run[14:15] == "."),
    _shape("databricks-token", "dapi", r"a-f0-9", 32, 40, _any),
    _shape("twilio-key", "SK", "a-f0-9", 32, 32, _any),
    _shape("mailgun-key", "key-", "a-z0-9", 32, 32, _made),
    _shape("doppler-token", "dp.pt. dp.st.", r"A-Za-z0-9._\-", 40, 80),
    _shape("grafana-token", "glsa_ glc_", "A-Za-z0-9_+/=", 32, 300),
    _shape("postman-key", "PMAK-", r"A-Za-z0-9\-", 50, 70),
    _shape("planetscale-token", "pscale_tkn_ pscale_pw_", r"A-Za-z0-9_\-.=", 32, 80),
    _shape("age-key", "AGE-SECRET-KEY-1", "A-Z0-9", 50, 70, _any),
    _shape("openai-style-key", "sk_", _WORD, 32, 100, _made),
    _shape("openai-style-key", "sk_", _DASHED, 40, 60, is_minted),
    _shape("langsmith-key", "ls__", "a-f0-9", 32, 32, _any),
    _shape("xai-key", "xai-token-", _WORD, 40, 120),
    _shape("google-key", "AQ.", _DASHED, 45, 80, is_minted),
    _shape("google-refresh-token", "1//0", _DASHED, 40, 200, _made),
    _shape("aws-bedrock-key", "bedrock-api-key-", r"A-Za-z0-9+/=_\-", 60, 4000),
    _shape("together-key", "tgp_v1_", _DASHED, 36, 60),
    _shape("pinecone-key", "pcsk_", "A-Za-z0-9_", 40, 90),
    _shape("modal-token", "ak- as-", _WORD, 22, 22, is_minted),
    _shape("composio-key", "ak_", _WORD, 20, 20, is_minted),
    _shape("openpipe-key", "opk_", _WORD, 40, 60),
    _shape("jina-key", "jina_", "A-Za-z0-9_", 40, 80),
    _shape("luma-key", "luma-", _DASHED, 36, 100, is_minted),
    _shape("wandb-key", "wandb_v1_", "A-Za-z0-9_", 40, 120),
    _shape("firecrawl-key", "fc-", "a-f0-9", 32, 32, _any),
    _shape("e2b-key", "e2b_", "a-f0-9", 40, 40, _any),
    _shape("daytona-key", "dtn_", "a-f0-9", 64, 64, _any),
    _shape("browserbase-key", "bb_live_ bb_test_", "A-Za-z0-9_", 20, 60),
    _shape("steel-key", "ste-", _WORD, 40, 100, _made),
    _shape("apify-token", "apify_api_", _WORD, 30, 60),
    _shape("cursor-key", "key_", _HEX, 60, 70, _any),
    _shape("supabase-key", "sb_secret_", _DASHED, 20, 60),
    _shape("supabase-key", "sbp_", "a-f0-9", 40, 40, _any),
    _shape("vercel-token", "vcp_ vci_ vca_ vcr_ vck_", _WORD, 24, 80, _made),
    _shape("vercel-token", "vercel_blob_rw_", "A-Za-z0-9_", 24, 80),
    _shape("cloudflare-token", "cfut_ cfat_ cfk_", _DASHED, 36, 80),
    _shape("fly-token", "fm1_ fm2_ fm1r_ fm1a_ fo1_", r"A-Za-z0-9+/=_\-", 40, 2000),
    _shape("heroku-key", "HRKU-", _DASHED, 36, 80),
    _shape("render-key", "rnd_", _WORD, 28, 40, _made),
    _shape("neon-key", "napi_", _WORD, 60, 80),
    _shape("planetscale-token", "pscale_oauth_", r"A-Za-z0-9_\-.=", 32, 80),
    _shape("resend-key", "re_", "A-Za-z0-9_", 33, 33, lambda run: run[8:9] == "_" and _made(run)),
    _shape("posthog-key", "phx_ phs_", _WORD, 40, 60),
    _shape("sentry-token", "sntrys_", r"A-Za-z0-9+/=_\-", 60, 400),
    _shape("sentry-token", "sntryu_", "a-f0-9", 64, 64, _any),
    _shape("newrelic-key", "NRAK-", "A-Z0-9", 27, 27, _any),
    _shape(
        "dynatrace-token", "dt0c01. dt0s01. dt0s02. dt0s03. dt0s04. dt0s06. dt0s08. dt0s16.", "A-Z0-9.", 80, 100, _any
    ),
    _shape("vault-token", "hvs. hvb. hvr.", _DASHED, 24, 300, _made),
    _shape("terraform-token", ".atlasv1.", _DASHED, 60, 70, _made),
    _shape("pulumi-token", "pul-", "a-f0-9", 40, 40, _any),
    _shape("docker-token", "dckr_pat_ dckr_oat_", _DASHED, 24, 60),
    _shape("jfrog-key", "AKCp", _WORD, 60, 80, _made),
    _shape("rubygems-key", "rubygems_", "a-f0-9", 48, 48, _any),
    _shape(
        "gitlab-token", "glrt- gldt- glptt- glcbt- glimt- glagent- gloas- glsoat- glffct-", r"A-Za-z0-9_\-.", 16, 80
    ),
    _shape("bitbucket-token", "ATBB", _WORD, 32, 32, _made),
    _shape("atlassian-token", "ATATT3xFfGF0 ATCTT3xFfGF0", r"A-Za-z0-9_\-=", 60, 300),
    _shape("sourcegraph-token", "sgp_", "a-f0-9_", 40, 60, _any),
    _shape("figma-token", "figd_ figu_ figo_", _DASHED, 36, 60),
    _shape("square-token", "EAAA", _DASHED, 60, 60, _made),
    _shape("square-token", "sq0atp- sq0csp-", _DASHED, 22, 60),
    _shape("brevo-key", "xkeysib- xsmtpsib-", r"a-zA-Z0-9\-", 70, 90),
    _shape("mapbox-token", "sk.eyJ", r"A-Za-z0-9_\-.", 50, 200, _any),
    _shape("notion-token", "secret_", _WORD, 43, 43, _made),
    _shape("lambda-key", "secret_", "A-Za-z0-9.", 50, 80, _made),
    _shape("tailscale-key", "tskey-", r"A-Za-z0-9\-", 24, 80, _made),
    _shape("doppler-token", "dp.ct. dp.sa. dp.scim. dp.audit.", r"A-Za-z0-9._\-", 40, 80),
    _shape("1password-token", "ops_", r"A-Za-z0-9+/=_\-", 100, 2000),
    _shape("prefect-key", "pnu_ pnb_", _WORD, 36, 36, _made),
    _shape("readme-key", "rdme_", "A-Za-z0-9", 60, 90),
    _shape("shippo-token", "shippo_live_ shippo_test_", "a-f0-9", 40, 40, _any),
    _shape("easypost-key", "EZAK EZTK", _WORD, 54, 54, _made),
    _shape("plaid-token", "access-production- access-sandbox- access-development-", r"a-f0-9\-", 36, 36, _any),
    _shape("duffel-token", "duffel_live_ duffel_test_", _DASHED, 40, 60),
    _shape("scaleway-key", "SCW", "A-Z0-9", 17, 17, _made),
    _shape("stripe-key", "sk_org_live_ sk_org_test_", _WORD, 24, 250),
    _shape("slack-token", "xwfp- xoxd-", r"A-Za-z0-9\-%/+=", 20, 400, _made),
    _shape("dropbox-token", "sl.", _DASHED, 130, 2000, _made),
    _shape("shopify-token", "shpua_ shptka_ shprt_", "A-Fa-f0-9", 16, 64),
    _shape("llamaindex-key", "llx-", _WORD, 40, 64),
    _shape("chroma-key", "ck-", _WORD, 40, 50, is_minted),
    _shape("turbopuffer-key", "tpuf_", _WORD, 28, 60),
    _shape("mem0-key", "m0-", _WORD, 40, 40, _made),
    _shape("humanloop-key", "hl_sk_", _HEX, 40, 64, _any),
    _shape("cartesia-key", "sk_car_", _WORD, 20, 32, _made),
    _shape("runway-key", "key_", _HEX, 128, 128, _any),
    _shape("retell-key", "key_", _HEX, 28, 28, _any),
    _shape("openai-client-secret", "ek_", _HEX, 32, 40, _any),
    _shape("openai-session", "sess-", _WORD, 40, 40, _made),
    _shape("coze-token", "pat_", _WORD, 64, 64, is_minted),
    _shape("dify-key", "app- dataset-", _WORD, 24, 24, is_minted),
    _shape("yandex-key", "AQVN", _DASHED, 35, 38, is_minted),
    _shape("upstage-key", "up_", _WORD, 29, 29, is_minted),
    _shape("gitlab-token", "glft-", r"A-Za-z0-9_\-.", 16, 80),
    _shape("netlify-token", "nfp_", _WORD, 36, 60),
    _shape("hubspot-token", "pat-na1- pat-na2- pat-na3- pat-eu1- pat-ap1-", _UUID, 36, 36, _any),
    _shape("mailersend-token", "mlsn.", _HEX, 64, 64, _any),
    _shape("clickup-token", "pk_", "A-Z0-9_", 36, 50, _team_and_key),
    _shape("trello-token", "ATTA", _HEX, 64, 76, _any),
    _shape("linear-key", "lin_oauth_", _WORD, 40, 80),
    _shape("contentful-token", "CFPAT-", _DASHED, 43, 43),
    _shape("typeform-token", "tfp_", _DASHED, 40, 80),
    _shape("cal-key", "cal_live_", _HEX, 32, 32, _any),
    _shape("honeycomb-key", "hcaik_ hcxik_ hcamk_ hcxmk_", _WORD, 50, 64),
    _shape("axiom-token", "xaat- xapt-", _UUID, 36, 36, _any),
    _shape("launchdarkly-key", "sdk-", _UUID, 36, 36, lambda run: run.count("-") == 4),
    _shape("sonar-token", "sqp_ squ_ sqa_", _HEX, 40, 40, _any),
    _shape("circleci-token", "CCIPAT_ CCIPRJ_", "A-Za-z0-9_", 60, 80),
    _shape("buildkite-token", "bkua_ bkaj_", _HEX, 40, 64, _any),
    _shape("xata-key", "xau_", _WORD, 30, 80),
    _shape("clojars-token", "CLOJARS_", _HEX, 60, 60, _any),
    _shape("adafruit-key", "aio_", _WORD, 28, 28, is_minted),
    _shape("flutterwave-key", "FLWSECK- FLWSECK_TEST-", r"A-Za-z0-9\-", 32, 50),
    _shape("mollie-key", "live_", _WORD, 30, 30, is_minted),
    _shape("stripe-key", "ek_live_ ek_test_", _WORD, 24, 250),
    _shape("stripe-client-secret", "pi_ seti_", "A-Za-z0-9_", 40, 100, _client_secret),
    _shape("newrelic-key", "NRII- NRIQ- NRRA-", _DASHED, 32, 42, _made),
    _shape("mongodb-key", "mdb_sa_sk_", _DASHED, 36, 60),
    _shape("cloudflare-token", "v1.0-", _UUID, 171, 171, lambda run: run[24] == "-"),
    _shape("tinybird-token", "p.eyJ", r"A-Za-z0-9_\-.", 60, 400, _two_parts),
    _shape("nomic-key", "nk-", _DASHED, 43, 43, is_minted),
    _shape("arcade-key", "arc_", _WORD, 48, 60, is_minted),
    _shape("browser-use-key", "bu_", _DASHED, 43, 43, is_minted),
    _shape("you-key", "ydc-sk-", _DASHED, 32, 90),
    _shape("agentmail-key", "am_", _HEX, 64, 64, _any),
    _shape("friendli-key", "flp_", _WORD, 40, 60, is_minted),
    _shape("inngest-key", "signkey-prod- signkey-test- signkey-branch-", _HEX, 32, 64, _any),
    _shape("trigger-key", "tr_prod_ tr_stg_ tr_dev_", _WORD, 20, 40, is_minted),
    _shape("zep-key", "z_1dWlkIjoi", r"A-Za-z0-9_\-.", 60, 400),
    _shape("unkey-key", "unkey_", _WORD, 20, 40, is_minted),
    _shape("stytch-secret", "secret-live- secret-test-", r"A-Za-z0-9_\-=", 32, 60, _made),
    _shape("infisical-token", "st.", r"a-f0-9.\-", 100, 110, lambda run: run.count(".") == 2),
    _shape("paseto", "v1.local. v2.local. v3.local. v4.local.", r"A-Za-z0-9_\-.", 60, 4000),
    _shape("scalingo-token", "tk-us-", _DASHED, 48, 48),
    _shape("frame-token", "fio-u-", _DASHED, 64, 64),
    _shape("sourcegraph-token", "slk_", _HEX, 64, 64, _any),
    _shape("snyk-token", "snyk_uat. snyk_sat.", r"A-Za-z0-9_\-.", 60, 160),
    _shape("cursor-key", "crsr_", _HEX, 60, 70, _any),
    _shape("elastic-key", "essu_", "A-Za-z0-9+/=", 50, 120),
    _shape("deno-token", "ddp_ ddo_ ddw_", _WORD, 36, 36, is_minted),
    _shape("zuplo-key", "zpka_", "a-f0-9_", 41, 41, _any),
    _shape("valtown-token", "vtwn_", _WORD, 24, 40, _made),
    _shape("google-ephemeral-token", "auth_tokens/", _HEX, 64, 64, _any),
    _shape("octopus-key", "API-", _UPPER, 26, 29, _made),
    _shape("crates-token", "cio", _WORD, 32, 32, is_minted),
    _shape("nuget-key", "oy2", "a-z0-9", 43, 43, _made),
    _shape("jfrog-token", "cmVmdGtuOj", _WORD, 50, 64),
)
"""The more telling marks first: what two shapes match goes to the first."""

_RUNS = [re.compile(f"[{shape.characters}]*+".encode()) for shape in _SHAPES]
_TAIL = 3
_LONGEST_ID = 32
_TELLING_ALONE = 7
"""Bytes of a mark from which on it tells whatever it is glued to: ``valuesk-proj-...``; no picture has one in a million years."""
_LEAST_VARIETY = 5
"""Different characters in a token; ``ghp_xxxxxxxxxxxxxxxxxxxx`` has one."""
_BY_TAIL: dict[bytes, list[tuple[bytes, int]]] = {}
"""Marks that end in a stop, by their last three characters."""
_CAPITALS = [
    re.compile(
        rb"A(?:Iza|QVN(?=[A-Za-z0-9_\-]{35})|TTA(?=[0-9a-f]{64})|[KS]IA|BIA|CCA|BSK|KCp|TBB|T[AC]TT3xFfGF0|GE-SECRET-KEY-1)"
    ),
    re.compile(rb"E(?:AAA|Z[AT]K)(?=[A-Za-z0-9_\-]{54})"),
    re.compile(rb"S(?:K(?=[0-9a-f]{32})|CW(?=[A-Z0-9]{17}))"),
]
"""Marks that begin with a capital, which is looked for fast."""
_BY_CAPITALS: dict[bytes, int] = {}
_WORDLIKE: list[tuple[bytes, int]] = []
for _order, _each in enumerate(_SHAPES):
    for _mark in _each.marks:
        if _mark[-1:] in (b"-", b"_", b"."):
            _BY_TAIL.setdefault(_mark[-_TAIL:], []).append((_mark, _order))
        elif _mark[:1] in (b"A", b"E", b"S"):
            _BY_CAPITALS[_mark] = _order
        else:
            _WORDLIKE.append((_mark, _order))


def _alternatives(tails: Sequence[bytes]) -> bytes:
    """Return a pattern for these texts of three bytes, grouped by the first one, so that few are tried at a place."""
    groups = groupby(sorted(tails), key=lambda tail: tail[:1])
    return b"|".join(
        re.escape(first) + b"(?:" + b"|".join(re.escape(tail[1:]) for tail in group) + b")" for first, group in groups
    )


def _stops(stop: bytes) -> re.Pattern[bytes]:
    tails = [tail for tail in _BY_TAIL if tail.endswith(stop)]
    seconds = re.escape(bytes({tail[1] for tail in tails}))
    return re.compile(
        re.escape(stop)
        + rb"(?<=[%b].)(?=[A-Za-z0-9_\-+/=%%%b]{9})(?<=%b)" % (seconds, stop.strip(b"-_"), _alternatives(tails))
    )


_STOPS = {stop: _stops(stop) for stop in (b"-", b"_", b".")}
"""What most marks end in, where a token may follow: one for each stop, which is looked for fast."""
_SHOW = [
    re.compile(pattern)
    for pattern in (
        rb"h(?=ook)",
        rb"\.(?=eyJ)",
        rb"/(?:/0|(?<=auth_tokens/))",
        rb"p(?:at|(?<=dap)i)",
        rb"o(?:y2|(?<=cio))",
        rb"",
    )
]
"""Each shows that some of the marks which are ends of words may be in a text, and begins with one byte, which is looked
for fast; the last one shows all others.
"""
_WORDLIKE_RUNS: dict[re.Pattern[bytes], list[tuple[bytes, int, re.Pattern[bytes]]]] = {}
"""Marks that are ends of words, too, with what must follow at least, by what shows them."""
for _mark, _order in _WORDLIKE:
    _run = re.escape(_mark) + f"(?=[{_SHAPES[_order].characters}]{{{_SHAPES[_order].shortest}}})".encode()
    _show = next(pattern for pattern in _SHOW if pattern.search(_mark) is not None)
    _WORDLIKE_RUNS.setdefault(_show, []).append((_mark, _order, re.compile(_run)))
_BEFORE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
"""No token begins behind one of these: there the mark is a piece of a word, or of base64 for addresses."""
_IN_BASE64 = re.compile(rb"[A-Za-z0-9+/=]{40}")
_ENDS = b"-_."
"""End a sentence behind a token more often than a token."""


_JWTS, _MARKED_WITHIN = len(_SHAPES), len(_SHAPES) + 1


def find_shapes(text: bytes, clues: Clues | None = None) -> Iterator[Span]:
    """Find tokens by their shape."""
    found: dict[int, Spans] = {}
    words = words_at(text, None if clues is None else clues.at(tokens))
    for order, span in find_in_words(text, words, find_in_long_words):
        if order not in found:
            found[order] = Spans(text)
        found[order].extend((span,))
    for order in sorted(found):
        if order <= _JWTS:
            yield from found[order]
    for find in (_private_keys, _putty_keys, *_BEHIND_WORDS):
        yield from find(text)
    yield from found.get(_MARKED_WITHIN, ())
    yield from _find_oracle_passwords(text)


def find_in_long_words(text: bytes) -> Iterator[tuple[int, Span]]:
    """Find the tokens whose characters are those of long words, each with the place of its rule among the rules."""
    yield from _tokens_in_text(text)
    for order, find in ((_JWTS, _jwts), (_MARKED_WITHIN, find_marked_within)):
        for span in find(text):
            yield order, span


def tokens(words: bytes) -> Iterator[int]:
    """Yield where tokens are in long words."""
    return (span.start for _, span in find_in_long_words(words))


_LETTERS_OF_ESCAPES = b"bfnrt"
_BEHIND_BACKSLASH = re.compile(
    rb"\\("
    + b"|".join(re.escape(mark) for shape in _SHAPES for mark in shape.marks if mark[:1] in _LETTERS_OF_ESCAPES)
    + rb")"
)
_ORDERS = {mark: order for order, shape in enumerate(_SHAPES) for mark in shape.marks}


def find_behind_backslashes(text: bytes, _clues: Clues | None = None) -> Iterator[Span]:
    r"""Find tokens that a backslash precedes, which with their first letter looks like an escape: ``C:\nvapi-...``.

    That letter stays: it may be an escape after all, and a document with another one could not be read.
    """
    for found in _BEHIND_BACKSLASH.finditer(text):
        for _, span in _token(text, found.start(1), found[1], _ORDERS[found[1]], {}):
            yield span._replace(start=span.start + 1)


BEHIND_BACKSLASHES = Rule(
    find_behind_backslashes, (anchored((b"\\", _BEHIND_BACKSLASH.pattern.removeprefix(rb"\\")), needs=b"\\"),)
)


def _tokens_in_text(text: bytes) -> Iterator[tuple[int, Span]]:
    done: dict[int, tuple[int, int]] = {}
    stops = (pattern.finditer(text) for stop, pattern in _STOPS.items() if stop in text)
    for stop in merge(*stops, key=re.Match.end):
        end = stop.end()
        for mark, order in _BY_TAIL[text[end - _TAIL : end]]:
            if text.startswith(mark, end - len(mark)):
                yield from _token(text, end - len(mark), mark, order, done)
    for capitals in _CAPITALS:
        for word in capitals.finditer(text):
            yield from _token(text, word.start(), word[0], _BY_CAPITALS[word[0]], done)
    for show, marks in _WORDLIKE_RUNS.items():
        if show.search(text) is not None:
            for mark, order, runs in marks:
                for word in runs.finditer(text) if mark in text else ():
                    yield from _token(text, word.start(), mark, order, done)


def _token(
    text: bytes, start: int, mark: bytes, order: int, done: dict[int, tuple[int, int]]
) -> Iterator[tuple[int, Span]]:
    """Judge the run behind a mark, unless it lies within the one of this shape that was judged last.

    Marks come in order, but those of one kind after those of another: an earlier place may be asked for later.
    """
    begin, end = done.get(order, (0, 0))
    if begin <= start < end:
        return
    glued = _goes_on(text, start)
    if glued and len(mark) < _TELLING_ALONE:
        return
    shape = _SHAPES[order]
    run = _RUNS[order].match(text, start + len(mark))
    assert run is not None
    done[order] = start, run.end()
    token = run[0].rstrip(_ENDS)
    if (
        shape.shortest <= len(token) <= shape.longest
        and len(set(token)) >= _LEAST_VARIETY
        and (_is_glued_one if glued else shape.is_one)(token.decode("ascii"))
    ):
        end = run.end() - (len(run[0]) - len(token))
        yield order, Span(start, end, shape.rule, text[start:end])


def _is_glued_one(run: str) -> bool:
    """Tell whether a run is a token though a word is glued to its mark: longer than an id behind ``task-proj-``."""
    return len(run) >= _LONGEST_ID and is_minted(run)


def _goes_on(text: bytes, start: int) -> bool:
    """Tell whether a place is within a word, or within a picture or the like in base64."""
    if not start:
        return False
    before = text[start - 1]
    if before not in b"/+":
        return before in _BEFORE
    run = _IN_BASE64.fullmatch(text, max(start - 40, 0), start)
    return run is not None and not is_wordy(run[0].decode("ascii"))


_JWT = re.compile(rb"eyJ[A-Za-z0-9_\-]*+(?:\.[A-Za-z0-9_\-]*+){2,4}+")
_JWT_HEAD = re.compile(rb"eyJ[A-Za-z0-9_\-]*+")


def _jwts(text: bytes) -> Iterator[Span]:
    """Find JSON web tokens (RFC 7519): three parts, or five of an encrypted one (RFC 7516)."""
    start = text.find(b"eyJ") if b"." in text else -1
    while start >= 0:
        head = _JWT_HEAD.match(text, start)
        assert head is not None
        end = head.end()
        is_one = text[end : end + 1] == b"." and (not _goes_on(text, start) or _is_head(head[0]))
        found = _JWT.match(text, start) if is_one else None
        if found is not None:
            parts = found[0].split(b".")
            if all(len(part) >= 8 for part in (parts[0], parts[-1])) and len(parts) in (3, 5):
                end = found.end()
                yield Span(start, end, "jwt", found[0])
        start = text.find(b"eyJ", end)


def _is_head(part: bytes) -> bool:
    """Tell whether the first part says how the token is signed: then it is one, whatever stands before it."""
    try:
        return b'"alg"' in base64.urlsafe_b64decode(part[:400] + b"=" * (-len(part[:400]) % 4))
    except binascii.Error:
        return False


_KEY_BODY = re.compile(
    rb"(?:\s*+[A-Za-z\-]{1,20}+: [^\r\n]{0,80}+\r?\n){0,4}+[A-Za-z0-9+/=\s]*+(?:-----END [A-Z0-9 ]{0,40}+-----)?"
)
_KEY_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,60}+-----")


_LONGEST_KEY = 20_000
_KEY_END = re.compile(rb"-----END [A-Z0-9 ]{0,40}+-----")
_KEY_DIGITS = re.compile(rb"[A-Za-z0-9+/=]{16,}+")
"""Of the lines of a key: what a quotation, a diff or a program puts before and behind each is shorter."""


def _key_end(text: bytes, head: re.Match[bytes]) -> int:
    """Return where a key ends: at its end if most up to there are its digits, else with its digits."""
    begin = head.end()
    following = text.find(b"-----BEGIN ", begin, begin + _LONGEST_KEY)
    furthest = following if following >= 0 else begin + _LONGEST_KEY
    last = text.find(b"-----END ", begin, furthest)
    end = None if last < 0 else _KEY_END.match(text, last)
    if end is not None and 2 * sum(map(len, _KEY_DIGITS.findall(text, begin, last))) >= last - begin:
        return end.end()
    body = _KEY_BODY.match(text, begin)
    assert body is not None
    return begin + len(body[0].rstrip())


def _private_keys(text: bytes) -> Iterator[Span]:
    """Find private keys in the form of PEM (RFC 7468) and OpenPGP, also cut ones."""
    start = text.find(b"-----BEGIN ")
    while start >= 0:
        end = start + 11
        head = _KEY_BEGIN.match(text, start)
        if head is not None and b" PRIVATE KEY" in head[0]:
            stop = _key_end(text, head)
            if len(text[head.end() : stop].strip()) >= 8:
                end = stop
                yield Span(start, end, "private-key", text[start:end])
            end = max(end, head.end())
        start = text.find(b"-----BEGIN ", end)


_PUTTY = re.compile(rb"Private-Lines:[ \t]{0,4}+[0-9]{1,4}\r?\n((?:[A-Za-z0-9+/=]{4,100}+\r?\n?){1,400}+)")


def _putty_keys(text: bytes) -> Iterator[Span]:
    """Find the private half of a key as PuTTY writes it."""
    for found in _PUTTY.finditer(text):
        body = found[1].rstrip()
        yield Span(found.start(1), found.start(1) + len(body), "private-key", body)


_TELEGRAM = re.compile(rb"[0-9]{8,12}+:[A-Za-z0-9_\-]{30,60}+")


_TELEGRAM_ALONE = re.compile(rb":AA(?<=[0-9]{8}:AA)[A-Za-z0-9_\-]{33}(?![A-Za-z0-9_\-])")
_BOT = re.compile(rb"(?<![0-9A-Za-z_\-])[0-9]{8,12}\Z")


def _telegram_tokens(text: bytes) -> Iterator[Span]:
    yield from _behind(text, b"bot", _TELEGRAM, "telegram-token", lambda run: not is_wordy(run.decode()))
    for found in _TELEGRAM_ALONE.finditer(text):
        bot = _BOT.search(text, max(found.start() - 13, 0), found.start())
        if bot is not None and not is_wordy(found[0].decode()):
            yield Span(bot.start(), found.end(), "telegram-token", text[bot.start() : found.end()])


_BEARER = re.compile(rb"[A-Za-z0-9._~+/\-]++=*+")
_BASIC = re.compile(rb"[A-Za-z0-9+/]++=*+")


def _bearers(text: bytes) -> Iterator[Span]:
    for mark in (b"earer ", b"EARER "):
        yield from _behind(text, mark, _BEARER, "bearer", _is_bearer, word_start=1)


def _is_bearer(run: bytes) -> bool:
    value = run.decode("ascii")
    return 16 <= len(value) <= 4000 and _made(value) and not is_stand_in(value)


def _basics(text: bytes) -> Iterator[Span]:
    yield from _behind(text, b"asic ", _BASIC, "basic", _is_basic, word_start=1)


def _is_basic(run: bytes) -> bool:
    """Tell whether a run is the base64 of a user and a password (RFC 7617)."""
    if not 12 <= len(run) <= 1000:
        return False
    try:
        user, colon, password = base64.b64decode(run + b"=" * (-len(run) % 4), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return False
    return bool(colon) and len(password) > 2 and (user + password).isprintable()


def _behind(
    text: bytes, mark: bytes, run: re.Pattern[bytes], rule: str, is_one: Callable[[bytes], bool], word_start: int = 0
) -> Iterator[Span]:
    """Find what stands right behind a word; with ``word_start`` 1 the mark lacks its first letter, a b or B."""
    start = text.find(mark)
    while start >= 0:
        end = start + len(mark)
        begins = text[start - word_start : start].lower() == b"b"[:word_start] and not _goes_on(
            text, start - word_start
        )
        found = run.match(text, end) if begins else None
        if found is not None:
            end = max(end, found.end())
            value = found[0].rstrip(b".")
            if is_one(value):
                yield Span(found.start(), found.start() + len(value), rule, value)
        start = text.find(mark, end)


_AUTHORITY = re.compile(
    rb"([^\s/@:\"'\\<>()]{0,200}+):([^\s/@\"'\\<>]{1,500}+(?:@[^\s/@\"'\\<>?#,]{1,200}+(?=@))?+)@([A-Za-z0-9.\-\[\]:]++)"
)
"""A password may hold an ``@``: the host stands behind the last one."""
_NO_PASSWORD = re.compile(r"[^(]*\)|[0-9]{1,5}[?#]")
"""The end of a parenthesis that was opened before the address; a port and a query."""
_IMAGES = (b"docker", b"oci", b"image", b"containerd")


_USER_ALONE = re.compile(rb"([A-Za-z0-9_\-.~%]{16,500}+)@[A-Za-z0-9\[]")


def find_url_passwords(text: bytes, _clues: Clues | None = None) -> Iterator[Span]:
    """Find the password of an address: ``scheme://user:password@host``; or the token that is its user."""
    start = text.find(b"://")
    while start >= 0:
        found = _AUTHORITY.match(text, start + 3)
        if found is not None and not text[max(start - 10, 0) : start].endswith(_IMAGES):
            user, value = found[1].decode("utf-8", "replace"), found[2].decode("utf-8", "replace")
            if is_password_of(user, value) and not _NO_PASSWORD.match(value):
                yield Span(*found.span(2), "url-password", found[2])
        user_alone = _USER_ALONE.match(text, start + 3)
        if user_alone is not None and is_opaque(user_alone[1].decode("ascii")):
            yield Span(*user_alone.span(1), "url-user", user_alone[1])
        start = text.find(b"://", start + 3)


URL_PASSWORDS = Rule(find_url_passwords, (anchored((b"://", rb"""[^\s/@"'\\<>]{0,702}+[@\n]"""), needs=b":"),))


_ORACLE = re.compile(rb"jdbc:oracle:[a-z0-9]{1,10}+:[^\s/@\"'\\]{1,100}+/([^\s@\"'\\]{4,200}+)@")


def _find_oracle_passwords(text: bytes) -> Iterator[Span]:
    """Find the password of an address of a database: ``jdbc:oracle:thin:user/password@host``."""
    for found in _ORACLE.finditer(text):
        if is_password_of("", found[1].decode("utf-8", "replace")):
            yield Span(*found.span(1), "url-password", found[1])


_BEHIND_WORDS = (_telegram_tokens, _bearers, _basics)


def _basic(pieces: bytes) -> Iterable[int]:
    return (span.start for span in _basics(pieces)) if b"asic" in pieces else ()


def _behind_words(text: bytes, words: Iterable[tuple[int, int]]) -> Iterator[int]:
    for start, _ in words:
        before = text[max(start - len(b"earer "), 0) : start]
        if before in (b"earer ", b"EARER ") or (before[-1:] == b":" and before[-2:-1].isdigit()):
            yield start


SHAPES = Rule(
    find_shapes,
    (_basic, anchored((b"-----BEGIN ", b""), (b"Private-Lines:", b""), (b"jdbc:oracle:", b""), needs=b"-:")),
    of_words=(tokens,),
    beside_words=(_behind_words,),
)
