"""What the vendor leaves open, or what goes wrong now and then: one switch each, read on every request.

The default is the stricter reading, the one that breaks a careless client. Where no client could do anything about it
(a change that no list tells of), the default is the reading that the docs of the connectors name as assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from integration_tests.sandbox.wire.messages import Row


@dataclass
class Switches:
    # Time and order
    timestamp_ties: bool = False
    no_date_header: bool = False
    date_stands_still: bool = False
    """Every answer has the `Date` of the first one since this was switched on, as a proxy leaves it."""
    archive_bumps_updated_at: bool = True
    latency: float = 0.0
    """Seconds every answer takes."""
    content_type_required: bool = True
    """Whether a body must be said to be JSON."""

    # Lists
    archived_omitted_means_all: bool = False
    archived_true: Literal["archived too", "only archived"] = "archived too"
    """What `archived=true` shows: by Vitally's page only archived rows, by a client archived ones too."""
    archived_ignored: bool = False
    """Every list shows archived rows, whatever `archived` says."""
    cursors_expire_after: int | None = None
    """A cursor is refused once this many further list pages have been served."""
    expired_cursor: Literal[400, 404, 410, 422, 500, "error", "empty page"] = 400
    """The answer to a cursor that is no longer known: a status, a 200 with an `error`, or a page without rows."""
    next_after_end: bool = False
    """The last page says `atEnd`, and has a `next` nevertheless."""
    at_end_absent: bool = False
    """Pages have no `atEnd`: the docs do not name it, a public client has seen it."""
    null_error_in_pages: bool = False
    """Pages have an `error` that is null."""
    odd_rows: bool = False
    """Among the rows of pages, the rows inlined in others and messages are things that are no objects."""
    below_organization: Literal["active", "activeOrChurned"] = "active"
    """Which accounts the list of an organization's accounts shows; its page names no `status`."""
    below_untracked_hidden: bool = False
    """The lists of all rows leave out those of accounts that are not tracked, as they leave out the accounts."""
    heaviest_page: int | None = None
    """A page of more rows is answered with `too_heavy`."""
    too_heavy: int = 504
    broken_rows: frozenset[str] = frozenset()
    """Ids of rows that no page can have: it is answered with a 500."""
    cursors_of_any_limit: bool = False
    """Whether a page cursor is taken beside another `limit` than that of its page; no page of the docs says."""
    empty_page_with_next: bool = False
    """Every second page of a scan is empty, its `next` leads on to the rows."""
    repeat_cursor: bool = False
    short_pages: bool = False
    doubled_rows: bool = False
    """Every page shows its first row twice."""
    strict_parameters: bool = True
    sort_ignored: bool = False
    """Every list is in order of creation, whatever `sortBy` says."""
    undocumented_sort: Literal["ignored", "refused", "honoured"] = "ignored"
    """What `sortBy` does for a list whose page does not name it; ignored, such a list is in order of creation."""
    health_scores_shape: Literal["object", "array", "results", "data"] = "object"
    survey_user_id: Literal["userID", "userId"] = "userID"
    """How survey responses spell it; the docs print the first."""
    transcripts_in_list: Literal["absent", "null", "whole"] = "absent"
    project_status_inlined: bool = False
    """Whether projects show their status itself: the docs describe one, and name no place where it is shown."""
    custom_field_ids: bool = True
    """Whether custom fields have an `id`: the docs list it, their example is without."""
    byte_order_mark: bool = False
    """Answers begin with one."""
    numeric_ids: bool = False
    """Ids are numbers, those of rows that are made while this is on."""

    # Misses
    not_found_status: Literal[404, 200] = 404
    admin_search_miss: Literal["error", "empty_object", "null", "empty_array"] = "error"
    refusal_member: Literal["error", "message"] = "error"
    """Where the words of a refusal are: `error` was seen of a 401, `message` stands in a client."""

    # REST writes
    create_status: Literal[200, 201] = 200
    delete_status: Literal[200, 204] = 204
    unknown_fields_rejected: bool = True
    unknown_traits_rejected: bool = True
    """Traits of tasks, notes, projects and instances need a custom field; off, unknown keys are dropped."""
    traits_feed_attributes: bool = True
    """The traits `mrr`, `churnedAt`, `nextRenewalDate` and `trialEndDate` set the attribute of that name."""
    put_without_tags_wipes: bool = True
    account_post_existing: Literal["update", "reject", "duplicate"] = "reject"
    """POST of an account or user whose externalId exists."""
    note_post_existing: Literal["update", "reject", "duplicate"] = "reject"
    conversation_post_existing: Literal["update", "reject", "duplicate"] = "reject"
    meeting_post_existing: Literal["update", "reject", "duplicate"] = "reject"
    message_post_existing: Literal["update", "reject", "duplicate"] = "reject"
    """POST of a message whose externalId its conversation has; a PUT of the conversation updates that message."""
    conversation_requires_external_id: bool = True
    meeting_requires_external_id: bool = True
    project_account: Literal["accountId", "customerId", "either"] = "accountId"
    """What the account of a new project is called; two pages of the docs differ."""
    nps_put_partial: bool = False
    also_by_external_id: frozenset[str] = frozenset()
    """More resources whose `:id` takes an externalId; for conversations and npsResponses clients differ."""
    api_source: str | None = None
    """`source` of notes and tasks created through REST; without one their externalId addresses nothing."""
    participant_user_id: Literal["externalId", "id", "either"] = "externalId"
    instance_delete: Literal["hard", "soft"] = "hard"
    readonly_objects_refuse: bool = True
    """Whether `writeMode: readonly` of a custom object also holds for the APIs; the docs speak of people."""
    children_bump_updated_at: bool = True
    """Whether a message or participant that comes or goes moves the `updatedAt` of what it is part of."""

    max_body_bytes: int | None = 500_000
    """Of both APIs; neither's docs say."""

    # Analytics
    batch_invalid: Literal["reject_all", "reject_after_the_rest", "drop_silently"] = "reject_all"
    """An invalid message has its batch refused, as a whole or when the valid ones have been taken, or is dropped."""
    batch_order: Literal["shuffled", "as sent"] = "shuffled"
    """In which order the messages of one batch take effect."""
    blocked_types: frozenset[str] = frozenset()
    unknown_custom_object: Literal["reject", "drop"] = "drop"
    drops: Callable[[Row], bool] | None = None
    """Says of a message that was accepted whether nothing comes of it."""
    orphans: Literal["drop", "create", "reject"] = "drop"
    """What names a parent that is not there is dropped, or creates it, when it takes effect; or it is refused."""
    older_timestamp_overwrites: bool = True
    analytics_null_removes: bool = True
    """A null trait removes the value, as in REST; off, it is ignored."""
    effect_delay: float = 120.0
    """Seconds of the workspace's clock between the acceptance of a message and its effect; 0: at once.

    A public page of an integration speaks of "several seconds to several minutes"."""
    effect_delays: Literal["fixed", "random", "growing"] = "fixed"
    """Each request's messages wait for all of it, for a random part of it, or for a tenth more than those before."""
    effects_overtake: bool = False
    """A request's messages take effect when their own delay is over, before earlier ones that wait for longer."""
    message_id_window: float | None = None
    """Seconds for which a repeated messageId is ignored; None: for good."""
    discard_messages: bool = False
    """Accept every message unread: how fast a client sends, not what it sends."""

    # What is stored otherwise than it was sent, by either API. Nobody outside knows, so each may be so. On is what
    # changes nothing that a value means; what changes that is on in the tests and chaos runs that speak of it.
    texts_trimmed: bool = True
    """Texts lose the blanks at their ends."""
    emails_lowered: bool = True
    decimals: int | None = 2
    """How many decimals of a number are kept."""
    days_as_times: bool = False
    """A day is stored as its midnight in UTC."""
    times_as_days: bool = False
    html: Literal["as documented", "cleaned everywhere", "no tags"] = "cleaned everywhere"
    """The docs name the tags that notes, task descriptions and messages keep; other texts may be cleaned as well."""
    lists_sorted: bool = True
    longest_text: int | None = None
    """How many characters of a text are kept."""
    undefined_traits_dropped: bool = False
    """Traits without a custom field come to nothing, also those of accounts, organizations and users."""
    updated_at_by_message: Literal["moves", "a minute later", "to its timestamp", "stays"] = "stays"
    """What a message does to the `updatedAt` of the row that it changes."""
    drops_value: Callable[[Row, str], bool] | None = None
    """Says of a message that was accepted and one of its traits whether nothing comes of the trait."""

    # Rows that are no longer what they were
    merged_ids: Literal["followed", "unknown"] = "followed"
    """Whether REST answers by the old id or externalId of a merged row, with the row that it was merged into."""
    archived_upsert: Literal["stays archived", "comes back", "is made anew"] = "stays archived"
    """What a write does that finds an archived row by its externalId."""

    # Refusals that say "exists"
    exists_status: Literal[400, 409, 422] = 400
    exists_words: str = "{name} already exists: {key}."
    """The words of a refusal of what is there; `{name}` is the attribute, `{key}` its value."""

    @property
    def storing(self) -> tuple[object, ...]:
        """The switches that say what becomes of a row that is stored."""
        return (
            *(self.texts_trimmed, self.emails_lowered, self.decimals, self.days_as_times, self.times_as_days),
            *(self.html, self.lists_sorted, self.longest_text, self.undefined_traits_dropped),
            *(self.numeric_ids, self.participant_user_id),
        )
