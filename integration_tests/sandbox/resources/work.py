"""Conversations, notes, tasks, projects, meetings: the resources, from Vitally's REST docs."""

from __future__ import annotations

from integration_tests.sandbox.resources.model import (
    PARENT_LIST_ROWS,
    PARENT_LISTS,
    PARENT_ROWS,
    PARENT_TABLES,
    PARENTS,
    READ,
    STAMPS,
    WRITE,
    Inline,
    Resource,
    Writing,
    always,
    archive_state,
    attributes,
    names,
)

CONVERSATIONS = Resource(
    "conversations",
    READ | WRITE,
    attributes(
        "externalId subject status rating source",
        traits={},
        accountIds=[],
        organizationIds=[],
        userIds=[],
        adminIds=[],
    ),
    always,
    under=PARENT_LISTS,
    detail_inlines=(
        Inline("messages", "messages", "conversationId", many=True, child=True),
        Inline("accounts", "accounts", "accountIds", many=True),
        Inline("users", "users", "userIds", many=True),
        Inline("admins", "admins", "adminIds", many=True),
    ),
    hidden=("accountIds", "organizationIds", "userIds", "adminIds"),
    writing=Writing(
        required=("subject", "messages"),
        create=names("externalId subject messages traits"),
        update=names("subject messages traits"),
        kinds={"messages": "list"},
        post_existing="conversation_post_existing",
    ),
)

MESSAGES = Resource(
    "messages",
    frozenset({"get", "delete"}),
    attributes("externalId type timestamp message from conversationId", to=[], cc=[], bcc=[]),
    always,
    scopes=("conversationId",),
    hidden=("conversationId", *STAMPS),
    ids="either",
    writing=Writing(
        required=("externalId", "message", "from", "to"),
        create=names("externalId message from to cc bcc timestamp"),
        update=names("externalId message from to cc bcc timestamp"),
        kinds={"from": "object", "to": "list", "cc": "list", "bcc": "list", "timestamp": "datetime"},
        html=("message",),
    ),
)

NOTES = Resource(
    "notes",
    READ | WRITE,
    attributes(
        "externalId accountId organizationId categoryId authorId subject"
        " note noteDate meetingDescription archivedAt"
        " source",
        tags=[],
        users=[],
        traits={},
    ),
    archive_state,
    under=PARENTS,
    filters=("archived", "source"),
    under_filters=("archived", "source"),
    inlines=(
        *PARENT_ROWS,
        Inline("author", "admins", "authorId"),
        Inline("category", "noteCategories", "categoryId"),
    ),
    ids="source",
    delete="soft",
    writing=Writing(
        required=("note", "noteDate"),
        create=names("externalId accountId organizationId note noteDate subject authorId categoryId tags traits"),
        update=names("accountId organizationId note noteDate subject authorId categoryId tags traits"),
        one_of=("accountId", "organizationId"),
        references={**PARENT_TABLES, "authorId": "admins", "categoryId": "noteCategories"},
        kinds={"noteDate": "datetime", "tags": "texts"},
        html=("note",),
        traits_model="notes",
        post_existing="note_post_existing",
    ),
)

_TASK_FIELDS = names(
    "name description accountId organizationId dueDate completedAt assignedToId completedById categoryId tags traits"
)
TASKS = Resource(
    "tasks",
    READ | WRITE,
    attributes(
        "externalId name description accountId organizationId"
        " dueDate completedAt assignedToId completedById"
        " createdById categoryId meetingId source archivedAt",
        tags=[],
        traits={},
        projectIds=[],
    ),
    archive_state,
    under=PARENTS,
    scopes=("meetingId",),
    filters=("archived", "source"),
    under_filters=("source",),
    inlines=(
        *PARENT_ROWS,
        Inline("assignedTo", "admins", "assignedToId"),
        Inline("completedBy", "admins", "completedById"),
        Inline("category", "taskCategories", "categoryId"),
        Inline("projects", "projects", "projectIds", many=True),
    ),
    hidden=("projectIds",),
    ids="source",
    delete="soft",
    writing=Writing(
        required=("name",),
        create=("externalId", *_TASK_FIELDS),
        update=_TASK_FIELDS,
        one_of=("accountId", "organizationId"),
        references={
            **PARENT_TABLES,
            "assignedToId": "admins",
            "completedById": "admins",
            "categoryId": "taskCategories",
        },
        kinds={"dueDate": "date", "completedAt": "datetime", "tags": "texts"},
        html=("description",),
        traits_model="tasks",
        post_existing="update",
    ),
)


def _categories(name: str, sort_documented: bool = False) -> Resource:
    """Return categories, which are managed in the app and only listed here."""
    return Resource(name, frozenset({"list"}), attributes("name"), always, sort_documented=sort_documented)


NOTE_CATEGORIES = _categories("noteCategories")
TASK_CATEGORIES = _categories("taskCategories")
PROJECT_CATEGORIES = _categories("projectCategories")

# No endpoint lists project statuses; their ids are only seen on projects.
PROJECT_STATUSES = Resource("projectStatuses", frozenset(), attributes("name type"), always)

PROJECT_TEMPLATES = Resource(
    "projectTemplates",
    frozenset({"list"}),
    attributes("name projectName description projectCategoryId", traits={}),
    always,
    scopes=("projectCategoryId",),
    filters=("categoryId",),
)

_PROJECT_FIELDS = names(
    "name targetStartDate targetCompletionDate projectStatusId projectCategoryId ownedByVitallyUserId traits"
)
PROJECTS = Resource(
    "projects",
    READ | WRITE,
    attributes(
        "name accountId organizationId templateId durationInDays targetStartDate actualStartDate"
        " targetCompletionDate actualCompletionDate ownedByVitallyUserId projectCategoryId"
        " projectStatusId archivedAt",
        traits={},
    ),
    archive_state,
    under=PARENTS,
    filters=("archived",),
    delete="soft",
    writing=Writing(
        required=("templateId",),
        create=("templateId", "accountId", "organizationId", *_PROJECT_FIELDS),
        update=_PROJECT_FIELDS,
        one_of=("accountId", "organizationId"),
        only_one=True,
        references={
            **PARENT_TABLES,
            "templateId": "projectTemplates",
            "projectStatusId": "projectStatuses",
            "projectCategoryId": "projectCategories",
            "ownedByVitallyUserId": "admins",
        },
        kinds={"templateId": "id", "targetStartDate": "date", "targetCompletionDate": "date"},
        traits_model="projects",
    ),
)

CUSTOM_OBJECTS = Resource(
    "customObjects",
    frozenset({"list", "get", "create", "update"}),
    attributes("name label writeMode", syncActive=True),
    always,
    inlines=(Inline("customFields", "customFields", "customObjectId", many=True, child=True),),
    writing=Writing(
        required=("name", "label", "writeMode"),
        create=names("name label writeMode customFields"),
        update=names("name label writeMode customFields"),
        kinds={"writeMode": "write mode", "customFields": "list"},
    ),
)

# Defined in the app, read by one special request: model, then label order.
CUSTOM_FIELDS = Resource(
    "customFields",
    frozenset(),
    attributes("label path type model customObjectId", options=[]),
    always,
    scopes=("customObjectId", "model"),
    hidden=("model", "customObjectId", "updatedAt"),
)

_INSTANCE_FIELDS = names("name externalId ownedByVitallyUserId traits")
INSTANCES = Resource(
    "instances",
    WRITE,
    attributes(
        "name externalId customObjectId createdByVitallyUserId"
        " ownedByVitallyUserId customerId organizationId"
        " archivedAt",
        traits={},
    ),
    archive_state,
    under={"customObjects": "customObjectId"},
    scopes=("customerId", "organizationId"),
    filters=("archived",),
    under_filters=("archived",),
    inlines=(
        Inline("customer", "accounts", "customerId"),
        Inline("customers", "accounts", "customerId", many=True),
        Inline("organization", "organizations", "organizationId"),
    ),
    delete="switch",
    writing=Writing(
        required=("name",),
        create=(*_INSTANCE_FIELDS, "customerId", "organizationId", "createdByVitallyUserId"),
        # The table of attributes says that the parents can be edited, the page of the PUT does not list them.
        update=_INSTANCE_FIELDS,
        one_of=("customerId", "organizationId"),
        references={
            "customerId": "accounts",
            "organizationId": "organizations",
            "ownedByVitallyUserId": "admins",
            "createdByVitallyUserId": "admins",
        },
        traits_model="customObjects",
    ),
)

_MEETING_FIELDS = names(
    "title description location startDateTime endDateTime recordingUrl summary keyPoints riskAssessment traits"
)
MEETINGS = Resource(
    "meetings",
    READ | WRITE,
    attributes(
        "externalId title description location startDateTime endDateTime"
        " startDate endDate startTimeZone endTimeZone"
        " externalStatus recordingUrl recordingUrlFormatted joiningInstructionsUri videoConferenceUri"
        " conferenceSolution summary riskAssessment source archivedAt",
        phoneConferenceNumbers=[],
        keyPoints=[],
        accountIds=[],
        organizationIds=[],
        notes=[],
        traits={},
    ),
    archive_state,
    under=PARENT_LISTS,
    filters=("archived",),
    inlines=(
        Inline("participants", "meetingParticipants", "meetingId", many=True, child=True),
        *PARENT_LIST_ROWS,
        Inline("tasks", "tasks", "meetingId", many=True, child=True),
    ),
    ids="either",
    delete="soft",
    delete_ids="either",
    writing=Writing(
        required=("title", "participants"),
        create=("externalId", "participants", "source", *_MEETING_FIELDS),
        update=_MEETING_FIELDS,
        kinds={
            "participants": "list",
            "startDateTime": "datetime",
            "endDateTime": "datetime",
            "keyPoints": "texts",
        },
        post_existing="meeting_post_existing",
    ),
)

MEETING_PARTICIPANTS = Resource(
    "meetingParticipants",
    frozenset(),
    attributes("userId vitallyUserId email type responseStatus meetingId", isOrganizer=False),
    always,
    scopes=("meetingId",),
    hidden=("meetingId", *STAMPS),
    writing=Writing(
        required=("type",),
        create=names("userId vitallyUserId email type responseStatus isOrganizer"),
        update=(),
        one_of=("userId", "vitallyUserId", "email"),
        only_one=True,
        references={"vitallyUserId": "admins"},
        kinds={"isOrganizer": "flag"},
    ),
)

MEETING_TRANSCRIPTS = Resource(
    "meetingTranscripts",
    READ,
    attributes("meetingId", transcript=[]),
    always,
    scopes=("meetingId",),
    sort_documented=False,
    writing=Writing(
        required=("transcript",), create=("transcript",), update=("transcript",), kinds={"transcript": "list"}
    ),
)
