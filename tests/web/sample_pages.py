"""Every screen in every state, by name, in both languages: for tests and the preview."""

from collections.abc import Callable

from callcenter.web.pages import alerts as floor_alerts
from callcenter.web.pages import analyses as studio_analyses
from callcenter.web.pages import compliance as gate
from callcenter.web.pages import compliance_ledgers as gate_ledgers
from callcenter.web.pages import dispatch as floor_dispatch
from callcenter.web.pages import finding as floor_finding
from callcenter.web.pages import forcing as floor_forcing
from callcenter.web.pages import lists as floor_lists
from callcenter.web.pages import offers as catalog
from callcenter.web.pages import partners as systems
from callcenter.web.pages import people as desk
from callcenter.web.pages import proposals as studio_proposals
from callcenter.web.pages import quality as floor_quality
from callcenter.web.pages import reports as floor_reports
from callcenter.web.pages import segments as studio_segments
from callcenter.web.pages import targets as floor_targets
from callcenter.web.pages import voice as studio_voice
from callcenter.web.pages import wallboard as floor_wallboard
from callcenter.web.pages.console import ConsolePage
from callcenter.web.pages.effects import EffectsPage
from callcenter.web.pages.floor import FloorPage
from callcenter.web.pages.frame import DemoSignIn, ErrorPage, SignInPage
from callcenter.web.pages.rules import DraftPage, NewRulePage, RulePage, VersionPage, WhyPage
from callcenter.web.pages.sources import NewKeyPage, NewSourcePage, SourcePage, SourcesPage
from callcenter.web.pages.studio import JourneysPage, RulesPage, ScriptsPage
from tests.web import (
    sample_analyses,
    sample_compliance,
    sample_floor_pages,
    sample_forcing,
    sample_learning,
    sample_offers,
    sample_partners,
    sample_people,
    sample_proposals,
    sample_quality,
    sample_rules,
    sample_voice,
)
from tests.web.sample_console import console
from tests.web.sample_floor import floor
from tests.web.sample_frame import Texts
from tests.web.sample_sources import new_key, new_source, source, sources
from tests.web.sample_studio import effects, journeys, rules, scripts, what_helps


def sign_in(language: str, theme: str, state: str) -> SignInPage:
    t = Texts(language)
    demos = tuple(
        DemoSignIn(t(en, zh), mail, "sample", role)
        for en, zh, mail, role in (
            ("Lin Yue", "林悦", "lin.yue@harbour.example", "agent"),
            ("Ma Lin", "马琳", "ma.lin@harbour.example", "supervisor"),
            ("G. Yan", "高岩", "g.yan@harbour.example", "strategist"),
        )
    )
    bank = t("Harbour Bank", "海港银行")
    if state == "failed":
        return SignInPage(
            bank, language, theme, "sample-token", "/console", "lin@harbour.example",
            t("E-mail or password is not right.", "邮箱或密码不正确。"),
        )  # fmt: skip
    return SignInPage(bank, language, theme, "sample-token", demo_sign_ins=demos)


def error(language: str, theme: str, state: str) -> ErrorPage:
    t = Texts(language)
    message = t("The call task was released.", "任务已释放。") if state == "409" else None
    return ErrorPage(
        t("Harbour Bank", "海港银行"), language, theme, int(state), message, "7f3a-21c0", "/console"
    )


Page = (
    ConsolePage
    | FloorPage
    | studio_analyses.AnalysesPage
    | studio_analyses.PeoplePage
    | studio_analyses.PersonPage
    | floor_dispatch.QueuePage
    | floor_dispatch.DispatchPage
    | floor_alerts.AlertsPage
    | floor_forcing.AgentPage
    | floor_finding.FoundPage
    | floor_reports.ReportPage
    | floor_quality.QualityPage
    | floor_quality.CallReviewPage
    | floor_quality.TagsPage
    | floor_quality.QualityReportPage
    | floor_quality.ScorecardsPage
    | floor_quality.CardFormPage
    | floor_targets.TargetsPage
    | floor_lists.ListsPage
    | floor_lists.ListPage
    | floor_wallboard.WallboardPage
    | studio_proposals.ProposalsPage
    | floor_wallboard.WallboardLinksPage
    | floor_wallboard.OpeningPage
    | JourneysPage
    | RulesPage
    | EffectsPage
    | ScriptsPage
    | SourcesPage
    | SourcePage
    | NewSourcePage
    | NewKeyPage
    | RulePage
    | VersionPage
    | DraftPage
    | NewRulePage
    | WhyPage
    | gate.OverviewPage
    | gate.ChangePage
    | gate.PacksPage
    | gate.ProposalPage
    | gate.DecisionsPage
    | gate.TrailPage
    | gate.WhatIfPage
    | gate_ledgers.LedgersPage
    | gate_ledgers.PersonPage
    | studio_voice.VoicePage
    | studio_voice.SuggestionsPage
    | studio_voice.SurveysPage
    | studio_segments.SegmentsPage
    | studio_segments.SegmentPage
    | systems.TokensPage
    | systems.NewTokenPage
    | systems.SecretPage
    | systems.EndpointsPage
    | systems.NewEndpointPage
    | systems.EndpointPage
    | catalog.CatalogPage
    | catalog.OfferFormPage
    | desk.PeoplePage
    | desk.PersonPage
    | desk.TeamsPage
    | SignInPage
    | ErrorPage
)

SCREENS: dict[str, tuple[str, str, Callable[[str, str, str], Page], tuple[str, ...]]] = {
    "console": (
        "console/page.html",
        "console/_body.html",
        console,
        (
            "idle-own",
            "idle", "empty", "signed-off", "not-ready", "missed", "reserved", "previewing", "dialing", "talking",
            "wrapping", "wrapping-errors", "gone", "failed", "not-placed", "unknown", "no-answer", "barred", "bare",
            "long", "long-previewing", "long-wrapping", "long-idle",
            "held", "muted", "not-recorded", "machine", "connecting", "lost", "lost-late", "predictive", "alone",
            "all-busy", "barred-acts", "idle-predictive", "phone-idle", "phone-empty", "phone-signed-off",
            "help", "help-seen", "help-listens", "phone-help",
            "choose", "choose-many", "choose-later", "choose-empty",
            "phone-dialing", "phone-talking", "phone-machine", "phone-connecting", "phone-lost", "phone-wrapping",
        ),
    ),
    "floor": (
        "floor/page.html",
        "floor/_body.html",
        floor,
        (
            "full", "empty", "by-rule", "dialing-on", "dialing-near", "dialing-fresh", "dialing-empty",
            "watch-connecting",
            "watch-monitor", "watch-whisper", "watch-barge", "watch-between", "watch-leaving", "watch-failed",
        ),
    ),
    "queue": ("floor/queue.html", "floor/queue.html", sample_floor_pages.queue, ("full", "empty", "failed")),
    "dispatch": (
        "floor/dispatch.html",
        "floor/dispatch.html",
        sample_floor_pages.dispatch,
        ("planned", "done", "undone", "partly", "stale", "empty"),
    ),
    "agent": ("floor/agent.html", "floor/agent.html", sample_forcing.agent, ("full", "empty", "failed")),
    "find": ("floor/find.html", "floor/find.html", sample_forcing.found, ("full", "empty")),
    "alerts": ("floor/alerts.html", "floor/alerts.html", sample_floor_pages.alerts, ("full", "empty", "failed")),
    "reports": (
        "floor/reports.html",
        "floor/reports.html",
        sample_floor_pages.reports,
        ("hours", "agents", "empty", "failed"),
    ),
    "quality": (
        "floor/quality.html", "floor/quality.html", sample_quality.quality, ("full", "none", "empty", "failed")
    ),
    "call-review": (
        "floor/call_review.html", "floor/call_review.html", sample_quality.call_review,
        ("full", "done", "empty", "failed"),
    ),
    "tags": ("floor/tags.html", "floor/tags.html", sample_quality.tags, ("full", "empty", "failed")),
    "quality-report": (
        "floor/quality_report.html", "floor/quality_report.html", sample_quality.report, ("full", "empty")
    ),
    "scorecards": ("floor/scorecards.html", "floor/scorecards.html", sample_quality.scorecards, ("full", "empty")),
    "scorecard": ("floor/scorecard.html", "floor/scorecard.html", sample_quality.scorecard, ("full", "failed")),
    "targets": ("floor/targets.html", "floor/targets.html", sample_quality.targets, ("full", "empty", "failed")),
    "lists": ("floor/lists.html", "floor/lists.html", sample_quality.lists, ("full", "empty", "failed")),
    "list": (
        "floor/list.html", "floor/list.html", sample_quality.one_list, (
            "draft", "same", "working", "done", "empty", "reading", "looking", "failed"
        )
    ),
    "wallboard": ("wallboard/page.html", "wallboard/_body.html", sample_floor_pages.wallboard, ("full", "empty")),
    "wallboard-links": (
        "floor/wallboard_links.html",
        "floor/wallboard_links.html",
        sample_floor_pages.links,
        ("full", "made", "empty", "failed"),
    ),
    "wallboard-link": (
        "wallboard/link.html", "wallboard/link.html", sample_floor_pages.opening, ("full", "failed")
    ),
    "journeys": ("studio/journeys.html", "studio/_journeys.html", journeys, ("full", "surge", "empty")),
    "analyses": (
        "studio/analyses.html",
        "studio/analyses.html",
        sample_analyses.analyses,
        ("full", "path", "lines", "across", "ranked", "empty"),
    ),
    "people": ("studio/people.html", "studio/people.html", sample_analyses.people, ("full", "empty")),
    "person": ("studio/person.html", "studio/person.html", sample_analyses.person, ("full", "empty")),
    "rules": ("studio/rules.html", "studio/_rules.html", rules, ("full", "empty")),
    "rule": ("studio/rule.html", "studio/_rule.html", sample_rules.rule, ("full", "failed")),
    "rule-version": (
        "studio/rule_version.html",
        "studio/rule_version.html",
        sample_rules.version,
        ("review", "own", "trial", "empty"),
    ),
    "rule-draft": (
        "studio/rule_draft.html",
        "studio/_rule_draft.html",
        sample_rules.draft,
        ("full", "trouble", "failed", "409"),
    ),
    "rule-new": ("studio/rule_new.html", "studio/rule_new.html", sample_rules.new, ("full", "failed")),
    "why": ("studio/why.html", "studio/why.html", sample_rules.why, ("full", "empty", "failed")),
    "effects": ("studio/effects.html", "studio/_effects.html", effects, ("full", "empty")),
    "learning": (
        "studio/learning.html",
        "studio/_learning.html",
        sample_learning.learning,
        ("full", "runs", "failed", "empty"),
    ),
    "scripts": ("studio/scripts.html", "studio/_scripts.html", scripts, ("read", "two", "broken", "list", "empty")),
    "what-helps": ("studio/what_helps.html", "studio/what_helps.html", what_helps, ("full", "empty")),
    "proposals": (
        "studio/proposals.html",
        "studio/_proposals.html",
        sample_proposals.proposals,
        ("full", "canary", "taken-back", "failed", "empty"),
    ),
    "offers": ("studio/offers.html", "studio/_offers.html", sample_offers.catalog, ("full", "long", "empty")),
    "offer-form": (
        "studio/offer.html", "studio/offer.html", sample_offers.form, ("blank", "full", "empty", "failed"),
    ),
    "voice": ("studio/voice.html", "studio/voice.html", sample_voice.voice, ("full", "quiet", "empty")),
    "suggestions": (
        "studio/suggestions.html", "studio/suggestions.html", sample_voice.suggestions,
        ("full", "list", "failed", "empty"),
    ),
    "surveys": ("studio/surveys.html", "studio/surveys.html", sample_voice.surveys, ("full", "empty")),
    "segments": (
        "studio/segments.html", "studio/segments.html", sample_voice.segments, ("full", "failed", "empty")
    ),
    "segment": (
        "studio/segment.html", "studio/segment.html", sample_voice.segment, ("full", "looked", "failed", "empty")
    ),
    "sources": ("admin/sources.html", "admin/_sources.html", sources, ("full", "empty", "look")),
    "source": (
        "admin/source.html",
        "admin/_source.html",
        source,
        (
            "events-full", "events-read", "events-empty", "schema-full", "schema-empty", "rejected-full",
            "rejected-read", "rejected-look", "rejected-empty", "settings-full", "settings-look", "settings-empty",
            "empty",
        ),
    ),
    "new-source": ("admin/new_source.html", "admin/new_source.html", new_source, ("blank", "failed")),
    "new-key": ("admin/new_key.html", "admin/new_key.html", new_key, ("first", "beside", "after", "empty")),
    "tokens": ("admin/api_tokens.html", "admin/_api_tokens.html", sample_partners.tokens, ("full", "empty")),
    "new-token": (
        "admin/new_api_token.html", "admin/new_api_token.html", sample_partners.new_token, ("blank", "failed"),
    ),
    "new-secret": (
        "admin/new_secret.html", "admin/new_secret.html", sample_partners.new_secret,
        ("token", "empty", "rotated"),
    ),
    "staff": ("admin/people.html", "admin/people.html", sample_people.people, ("full", "empty")),
    "staff-member": ("admin/person.html", "admin/person.html", sample_people.person, ("new", "full", "failed")),
    "teams": ("admin/teams.html", "admin/teams.html", sample_people.teams, ("full", "empty", "failed")),
    "webhooks": ("admin/webhooks.html", "admin/webhooks.html", sample_partners.endpoints, ("full", "empty")),
    "new-webhook": (
        "admin/new_webhook.html", "admin/new_webhook.html", sample_partners.new_endpoint, ("blank", "failed"),
    ),
    "webhook": ("admin/webhook.html", "admin/_webhook.html", sample_partners.endpoint, ("full", "empty")),
    "gate": (
        "compliance/overview.html", "compliance/_overview.html", sample_compliance.overview,
        ("full", "empty", "failed"),
    ),
    "gate-change": (
        "compliance/change.html", "compliance/change.html", sample_compliance.change,
        ("pack", "own", "stale", "409", "decided"),
    ),
    "gate-packs": ("compliance/packs.html", "compliance/packs.html", sample_compliance.packs, ("full", "failed")),
    "gate-proposal": (
        "compliance/proposal.html", "compliance/proposal.html", sample_compliance.proposal,
        ("blank", "right", "failed"),
    ),
    "gate-ledgers": (
        "compliance/ledgers.html", "compliance/ledgers.html", sample_compliance.ledgers, ("full", "empty", "failed")
    ),
    "gate-person": (
        "compliance/person.html", "compliance/person.html", sample_compliance.person, ("full", "empty", "number")
    ),
    "gate-decisions": (
        "compliance/decisions.html", "compliance/decisions.html", sample_compliance.decisions,
        ("full", "read", "empty", "failed"),
    ),
    "gate-trail": ("compliance/trail.html", "compliance/trail.html", sample_compliance.trail, ("full", "empty")),
    "gate-what-if": (
        "compliance/what_if.html", "compliance/what_if.html", sample_compliance.what_if,
        ("empty", "barred", "allowed", "failed"),
    ),
    "sign-in": ("auth/sign_in.html", "auth/sign_in.html", sign_in, ("demo", "failed")),
    "error": ("error.html", "error.html", error, ("403", "404", "409", "500")),
}  # fmt: skip


def states() -> list[str]:
    """Every sample as "screen-state", such as console-talking."""
    return [f"{screen}-{state}" for screen, (_, _, _, names) in SCREENS.items() for state in names]


def sample(name: str, language: str = "en", theme: str = "light") -> tuple[str, str, Page]:
    """Template of the page, template of its state fragment, and the view model."""
    screen = max((key for key in SCREENS if name.startswith(f"{key}-")), key=len)
    template, fragment, build, _ = SCREENS[screen]
    return template, fragment, build(language, theme, name.removeprefix(f"{screen}-"))
