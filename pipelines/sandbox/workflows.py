"""The 60 workflows of the sandbox organisation: what each is for, who answers for it, what it brings.

Volumes and models belong in workloads.py. Owners are roles, never people.
"""

from dataclasses import dataclass
from datetime import date

from pipelines.sandbox import stories


@dataclass(frozen=True)
class Workflow:
    """One workflow with its job description.

    Attributes:
        small_model_fit: whether a small model was found to be enough: yes, no or untested.
        outcome_type: what the workflow brings, or None if nobody counts it.
        accepted_ratio: share of outcomes that a person accepted, None if nobody judges them.
        sector_tag: the sector that it serves, across teams and units.
    """

    workflow_id: str
    workflow_name: str
    team_id: str
    owner: str
    usefulness_class: str
    latency_tier: str
    cacheable: bool
    small_model_fit: str
    outcome_type: str | None
    accepted_ratio: float | None
    job_description: str
    review_due_date: date
    status: str
    sector_tag: str | None


_CLASSES = {"e": "essential", "u": "useful", "c": "comfort", "x": "experimental"}
_TIERS = {"s": "seconds", "m": "minutes", "n": "overnight"}
_FITS = {"y": "yes", "n": "no", "t": "untested"}
_SECTORS = dict.fromkeys(("claims-photo-notes", "claims-invoice-extract", "claims-de-police-reports",
                          "pricing-vehicle-lookup", "market-watch"), "motor-insurance")

# (id, name, owner, flags = class + latency + cacheable (C or -) + small model fit, outcome, accepted share, job)
_TABLE: dict[str, tuple[tuple[str, str, str, str, str | None, float | None, str], ...]] = {
    "claims-fr": (
        ("claims-triage", "Claim triage", "Head of Claims France", "es-y", "claim_triaged", 0.93,
         "Reads a new motor or home claim and proposes severity, handler queue and missing documents. "
         "The handler confirms; no claim is refused by it."),
        ("claims-photo-notes", "Damage photo notes", "Motor Claims Manager", "us-n", "photo_described", 0.88,
         "Writes two sentences on visible damage for each photo set, so that experts open the worst cases first."),
        ("claims-letter-drafts", "Claim letter drafts", "Customer Letters Lead", "umCn", "letter_sent", 0.81,
         "Drafts the letter that explains a settlement in plain French; a handler edits and signs it."),
        ("claims-fraud-hints", "Fraud hints", "Head of Special Investigations", "em-n", "file_reviewed", 0.42,
         "Lists contradictions between statement, photos and repair bill. A hint opens a review, never a refusal."),
        ("claims-invoice-extract", "Repair invoice extraction", "Claims Payments Manager", "en-y",
         "invoice_extracted", 0.97,
         "Takes amounts, dates and part numbers out of scanned garage invoices for the payment run."),
    ),
    "claims-de": (
        ("claims-de-triage", "Claim triage Germany", "Head of Claims Germany", "es-y", "claim_triaged", 0.91,
         "Sorts incoming German claims by severity and line of business before the morning hand-over."),
        ("claims-de-summaries", "File summaries", "Bodily Injury Manager", "um-t", "file_summarised", 0.86,
         "Condenses long injury files to one page with sources, for the weekly reserve meeting."),
        ("claims-de-subrogation", "Recovery letters", "Recoveries Lead", "um-n", "recovery_opened", 0.74,
         "Finds claims in which a third party is liable and drafts the recovery letter with its legal basis."),
        ("claims-de-translation", "Claim translation", "Cross-border Claims Lead", "umCy", "page_translated", None,
         "Translates foreign police and garage reports into German; certified translation stays with the agency."),
        ("claims-de-police-reports", "Police report extraction", "Motor Claims Manager Germany", "us-y",
         "report_extracted", 0.95, "Fills the accident form from police reports: place, parties, vehicles, sketch."),
    ),
    "customer-care-us": (
        ("care-chat-assist", "Chat assistant", "Head of Customer Care", "esCy", "chat_resolved", 0.78,
         "Answers policy-holders' questions on cover, payments and documents; hands over to a person on request, "
         "on any complaint and after two failed answers."),
        ("care-voice-summaries", "Call summaries", "Contact Centre Manager", "us-y", "call_summarised", 0.96,
         "Writes the wrap-up note after each telephone call, so that agents take the next call sooner."),
        ("care-email-routing", "E-mail routing", "Service Desk Manager", "es-y", "email_routed", 0.94,
         "Reads an incoming e-mail, names its intent and urgency and puts it into the right queue."),
        ("care-knowledge-search", "Knowledge search", "Knowledge Base Editor", "usCy", "article_opened", 0.69,
         "Finds the passage of the handbook that answers an agent's question and quotes it with its address."),
        ("care-quality-review", "Conversation quality review", "Service Quality Lead", "cn-t",
         "conversation_scored", None, "Scores a sample of chats for tone and correctness; used for coaching only."),
    ),
    "marketing-fr": (
        ("campaign-copy", "Campaign copy", "Head of Campaigns", "cm-n", "variant_published", 0.22,
         "Proposes five versions of a campaign text for the editor to choose from."),
        ("image-captions", "Image captions", "Web Content Editor", "umCy", "caption_published", 0.9,
         "Writes alternative texts for images on the public site, as accessibility law asks."),
        ("seo-rewrites", "Search rewrites", "Search Marketing Lead", "cmCt", "page_rewritten", 0.35,
         "Rewrites product pages for search engines; the effect on visits has not been shown yet."),
        ("social-listening", "Social listening", "Brand Manager", "cn-y", "mention_classified", None,
         "Classifies public mentions of the brand by topic and mood for the weekly press round."),
        ("newsletter-personalisation", "Newsletter personalisation", "Customer Marketing Lead", "cn-y",
         "newsletter_opened", 0.28, "Chooses and words three paragraphs of the monthly newsletter per segment."),
    ),
    "sales-us": (
        ("lead-research", "Lead research", "Head of Business Sales", "cm-t", "lead_qualified", 0.31,
         "Collects public facts on a prospect before the first call and names the source of each."),
        ("proposal-drafts", "Proposal drafts", "Bid Manager", "um-n", "proposal_sent", 0.64,
         "Drafts the answer to a tender from the library of approved paragraphs."),
        ("call-notes", "Sales call notes", "Sales Operations Manager", "us-y", "note_saved", 0.92,
         "Turns a recorded sales call into notes and next steps; recordings without consent are not read."),
        ("crm-cleanup", "Customer record clean-up", "Sales Data Steward", "cn-y", "record_corrected", 0.71,
         "Finds duplicate and outdated customer records each night and proposes corrections."),
        ("quote-explainer", "Quote explainer", "Online Sales Lead", "usCy", "quote_accepted", None,
         "Explains a quote's cover and exclusions in plain words beside the price."),
    ),
    "pricing-de": (
        ("pricing-vehicle-lookup", "Vehicle look-up", "Motor Pricing Lead", "es-y", "vehicle_identified", 0.89,
         "Maps a free-text vehicle description to the type-class register. Its parser refuses a third of the "
         "answers, and the job then asks again."),
        ("tariff-comparison", "Tariff comparison", "Market Pricing Analyst", "um-t", "tariff_compared", None,
         "Reads competitors' published tariffs and fills the comparison table for the pricing round."),
        ("pricing-model-notes", "Model documentation", "Actuarial Model Owner", "um-n", "note_approved", 0.83,
         "Drafts the documentation that the supervisor requires for each pricing model."),
        ("broker-questions", "Broker questions", "Head of Broker Service", "us-n", "question_answered", 0.85,
         "Answers brokers' questions on underwriting rules and cites the rule."),
        ("market-watch", "Market watch", "Product Manager Motor", "cn-t", "digest_read", None,
         "Summarises trade press for the product team each morning."),
    ),
    "platform-fr": (
        ("code-review-bot", "Code review", "Head of Platform Engineering", "us-n", "review_comment_kept", 0.37,
         "Comments on merge requests: missing tests, unsafe queries, unclear names. Never approves."),
        ("incident-summaries", "Incident summaries", "Reliability Manager", "es-t", "incident_summarised", 0.9,
         "Writes a running summary of an incident channel for those who join late, and the draft report."),
        ("log-anomaly-notes", "Log anomaly notes", "Observability Lead", "cn-y", "alert_explained", 0.48,
         "Explains unusual log patterns in one sentence beside the alert."),
        ("gateway-evaluations", "Gateway evaluations", "Gateway Product Owner", "un-n", "suite_completed", None,
         "Runs the weekly evaluation suite that decides which models the gateway may offer."),
        ("internal-docs-search", "Internal documentation search", "Developer Experience Lead", "usCy",
         "answer_clicked", 0.66, "Answers engineers' questions from internal documentation with links."),
    ),
    "data-science-de": (
        ("archive-relabelling", "Archive relabelling", "Data Governance Lead", "cn-y", None, None,
         "Relabels archived documents each night with the current taxonomy. Nobody has asked for a count of what "
         "was used since."),
        ("synthetic-dialogues", "Synthetic dialogues", "Language Models Lead", "xn-t", "dialogue_kept", 0.4,
         "Makes artificial dialogues to test the chat assistant before each release."),
        ("feature-descriptions", "Feature descriptions", "Feature Store Owner", "cn-y", "feature_described", 0.93,
         "Writes catalogue descriptions for tables and features that have none."),
        ("model-comparison-lab", "Model comparison", "Applied Research Lead", "xm-t", None, None,
         "Tries a new vendor's model on a fixed set of questions, under a three-month evaluation agreement."),
        ("forecast-narratives", "Forecast narratives", "Forecasting Lead", "um-n", "report_published", 0.88,
         "Explains the weekly claims forecast in a page of text for the operations meeting."),
    ),
    "software-us": (
        ("code-completion", "Code completion", "Head of Software US", "us-y", "suggestion_accepted", 0.29,
         "Completes the line or block that an engineer is typing."),
        ("test-generation", "Test generation", "Quality Engineering Lead", "um-t", "test_merged", 0.52,
         "Proposes unit tests for changed functions; an engineer keeps or drops each."),
        ("ticket-triage", "Ticket triage", "Support Engineering Manager", "us-y", "ticket_routed", 0.9,
         "Assigns component and severity to incoming tickets."),
        ("release-notes", "Release notes", "Release Manager", "cn-y", "release_published", 0.95,
         "Drafts release notes from merged changes."),
        ("dependency-review", "Dependency review", "Application Security Lead", "em-n", "advisory_closed", 0.58,
         "Reads security advisories and says whether the affected function is reachable in our code."),
    ),
    "finance-fr": (
        ("invoice-coding", "Invoice coding", "Accounts Payable Manager", "en-y", "invoice_booked", 0.96,
         "Proposes account and cost centre for supplier invoices; above 10,000 euros a person checks."),
        ("expense-checks", "Expense checks", "Travel and Expense Lead", "un-y", "claim_checked", 0.91,
         "Compares receipts with the expense policy and flags what needs a question."),
        ("monthly-report-drafts", "Monthly report drafts", "Group Controller", "um-n", "report_published", 0.8,
         "Drafts the commentary on the monthly figures from the ledger's variances."),
        ("audit-evidence-search", "Audit evidence search", "Head of Internal Audit", "umCt", "evidence_found", 0.73,
         "Finds documents that prove a control was performed, with page numbers."),
        ("cash-forecast-notes", "Cash forecast notes", "Treasury Manager", "cn-y", "note_saved", None,
         "Notes the reasons for deviations from last week's cash forecast."),
    ),
    "legal-de": (
        ("contract-review", "Contract review", "Head of Commercial Law", "um-n", "contract_reviewed", 0.84,
         "Compares a supplier contract with our standard clauses and lists what deviates."),
        ("clause-search", "Clause search", "Contract Librarian", "usCy", "clause_found", 0.77,
         "Finds earlier wordings of a clause in signed contracts."),
        ("gdpr-request-drafts", "Data subject requests", "Data Protection Officer", "em-n", "request_answered", 0.9,
         "Drafts the answer to access and erasure requests from the register of processing."),
        ("regulatory-watch", "Regulatory watch", "Head of Compliance", "en-t", "notice_assessed", 0.87,
         "Reads supervisory publications daily and names the internal rule that each one touches."),
        ("litigation-timelines", "Litigation timelines", "Head of Disputes", "um-n", "timeline_filed", 0.82,
         "Builds a dated list of events from case files, each with its document."),
    ),
    "people-us": (
        ("hr-helpdesk", "HR help desk", "Head of People Services", "usCy", "question_answered", 0.83,
         "Answers employees' questions on leave, benefits and travel from the handbook."),
        ("job-ad-drafts", "Job advertisement drafts", "Talent Acquisition Lead", "cm-y", "advert_published", 0.7,
         "Drafts job advertisements in inclusive language from the role profile."),
        ("cv-screening-notes", "Application notes", "Talent Acquisition Lead", "xm-n", "note_saved", None,
         "Summarised applications for recruiters. Switched off on 1 July 2026 after the works council's review."),
        ("training-quiz-maker", "Training quizzes", "Learning Manager", "cn-y", "quiz_taken", None,
         "Makes short quizzes from training material."),
        ("policy-translations", "Policy translations", "Internal Communications Lead", "cnCy", "page_published", 0.94,
         "Translates internal policies into Spanish and French before the editor reads them."),
    ),
}


def _workflow(number: int, team_id: str, row: tuple) -> Workflow:
    workflow_id, name, owner, flags, outcome, accepted, job = row
    # Reviews fall due one after the other from May to December 2026, so that a few are already owed.
    month, day = 5 + number % 8, 1 + (number * 7) % 28
    status = "retired" if workflow_id == stories.RETIRED_WORKFLOW else "active"
    return Workflow(
        workflow_id, name, team_id, owner, _CLASSES[flags[0]], _TIERS[flags[1]], flags[2] == "C", _FITS[flags[3]],
        outcome, accepted, job, date(2026, month, day), status, _SECTORS.get(workflow_id),
    )


WORKFLOWS = tuple(
    _workflow(number, team_id, row)
    for number, (team_id, row) in enumerate((team, row) for team, rows in _TABLE.items() for row in rows)
)
WORKFLOW_BY_ID = {workflow.workflow_id: workflow for workflow in WORKFLOWS}
