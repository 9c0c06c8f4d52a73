"""The part of the table of objects about what is done with customers, all of it written through REST."""

from __future__ import annotations

from dataclasses import replace

from destination_vitally.objects.model import (
    BY_EXTERNAL_ID,
    BY_ID,
    DELETE,
    EXTERNAL_ID,
    ID,
    PARENT,
    PUT,
    PUT_BY_ID,
    ROW,
    USER_EMAIL,
    Directory,
    Field,
    Key,
    Kind,
    Lookup,
    Object,
    RestRoute,
    Verb,
    names,
)

ACCOUNT_ID = Field(
    "accountId", refers="account", inlined="account", create_only=True, description="The account it belongs to"
)
ORGANIZATION_ID = Field(
    "organizationId",
    refers="organization",
    inlined="organization",
    create_only=True,
    description="The organization it belongs to",
)
SOURCE = Field("source", in_body=False, description="The integration an externalId belongs to")
TAGS = Field("tags", Kind.TEXTS, description="All tags; those that are not listed are taken away")
BELOW_A_PARENT = (Key("externalId", lookups=(Lookup.BY_PATH, Lookup.IN_PARENT)), BY_ID)
"""Vitally takes the externalId in the path only along with the row's source."""

AMONG_NEWEST = Key("externalId", in_path=True, documented=False, lookups=(Lookup.BY_PATH, Lookup.NEWEST))
"""Whether Vitally takes the externalId in the path is not documented, so the newest rows are looked through as well."""


ACTIVITIES: tuple[Object, ...] = (
    Object(
        name="note",
        description="A note about an account or an organization",
        open_member="traits",
        model="notes",
        defined_traits=True,
        streams=("notes",),
        path="/notes",
        fields=(
            ID,
            EXTERNAL_ID,
            SOURCE,
            Field("note", is_html=True, description="The text, HTML"),
            Field("noteDate", Kind.DATETIME, description="When it was taken"),
            Field("subject", description="One line that says what it is about"),
            ACCOUNT_ID,
            ORGANIZATION_ID,
            Field("authorId", directory=Directory.ADMIN, inlined="author", description="The team member who wrote it"),
            Field(
                "categoryId",
                directory=Directory.NOTE_CATEGORY,
                inlined="category",
                description="The category of the note",
            ),
            TAGS,
        ),
        operations={
            "create": (RestRoute(Verb.POST, requires=("note", "noteDate", PARENT)),),
            "upsert": (
                RestRoute(Verb.FIND_OR_POST, requires=("externalId", PARENT), to_create=("note", "noteDate", PARENT)),
                PUT_BY_ID,
            ),
            "update": (PUT,),
            "delete": (DELETE,),
        },
        on_delete="archives the note, which stays in Vitally with archivedAt set",
        keys=BELOW_A_PARENT,
        resend_on_update=("tags",),
        read_only=ROW | names("meetingDescription users account organization author category"),
    ),
    Object(
        name="task",
        description="Something to do for an account or an organization; open until it has completedAt",
        open_member="traits",
        model="tasks",
        defined_traits=True,
        streams=("tasks",),
        path="/tasks",
        fields=(
            ID,
            EXTERNAL_ID,
            SOURCE,
            Field("name", description="What is to be done"),
            Field("description", is_html=True, description="The details, HTML"),
            replace(ACCOUNT_ID, create_only=False),
            replace(ORGANIZATION_ID, create_only=False),
            Field("dueDate", Kind.DATE, description="The day by which it is to be done"),
            Field("completedAt", Kind.DATETIME, description="When it was done"),
            Field(
                "assignedToId",
                directory=Directory.ADMIN,
                inlined="assignedTo",
                description="The team member who is to do it",
            ),
            Field(
                "completedById",
                directory=Directory.ADMIN,
                inlined="completedBy",
                description="The team member who did it",
            ),
            Field(
                "categoryId",
                directory=Directory.TASK_CATEGORY,
                inlined="category",
                description="The category of the task",
            ),
            TAGS,
        ),
        operations={
            "create": (RestRoute(Verb.POST, requires=("name", PARENT), repeatable=True),),
            "upsert": (
                # A POST without tags would empty those of a task that exists.
                RestRoute(Verb.POST, requires=("externalId", "name", PARENT, "tags"), repeatable=True),
                RestRoute(
                    Verb.FIND_OR_POST,
                    requires=("externalId", PARENT),
                    to_create=("name", PARENT),
                    repeatable=True,
                ),
                PUT_BY_ID,
            ),
            "update": (PUT,),
            "delete": (DELETE,),
        },
        on_delete="archives the task, which stays in Vitally with archivedAt set",
        keys=BELOW_A_PARENT,
        resend_on_update=("tags",),
        read_only=ROW | names("createdById projects meetingId account organization assignedTo completedBy category"),
    ),
    Object(
        name="project",
        model="projects",
        open_member="traits",
        defined_traits=True,
        description="Work for a customer, created from a template; it has no external id, so it cannot be upserted",
        streams=("projects",),
        path="/projects",
        fields=(
            ID,
            Field(
                "templateId",
                create_only=True,
                directory=Directory.PROJECT_TEMPLATE,
                description="The template it is created from",
            ),
            replace(ACCOUNT_ID, otherwise="customerId"),
            ORGANIZATION_ID,
            Field("name", description="What it is called; else as the template says"),
            Field("targetStartDate", Kind.DATE, description="The day on which it is to begin"),
            Field("targetCompletionDate", Kind.DATE, description="The day by which it is to be done"),
            Field("ownedByVitallyUserId", directory=Directory.ADMIN, description="The team member who owns it"),
            Field("projectCategoryId", directory=Directory.PROJECT_CATEGORY, description="The category of the project"),
            Field(
                "projectStatusId",
                directory=Directory.PROJECT_STATUS,
                inlined="projectStatus",
                description="The status of the project",
            ),
        ),
        operations={
            "create": (RestRoute(Verb.POST, requires=("templateId", PARENT)),),
            "update": (PUT,),
            "delete": (DELETE,),
        },
        on_delete="archives the project, which stays in Vitally with archivedAt set",
        exactly_one=PARENT,
        keys=(BY_ID,),
        copied_by=Key("name", documented=False, lookups=(Lookup.IN_PARENT,)),
        read_only=ROW | names("durationInDays actualStartDate actualCompletionDate account organization"),
    ),
    Object(
        name="nps_response",
        description="A user's answer to an NPS survey",
        streams=("nps_responses",),
        path="/npsResponses",
        lists=("target=accounts", "target=organization"),
        fields=(
            ID,
            EXTERNAL_ID,
            Field("userId", refers="user", inlined="user", description="The user who answered"),
            USER_EMAIL,
            Field(
                "score",
                Kind.SCORE,
                description="How likely the user is to recommend you, 0 to 10",
                elsewhere=names("rating value nps"),
            ),
            Field(
                "feedback", description="What the user wrote", elsewhere=names("comment comments text answer reason")
            ),
            Field(
                "respondedAt",
                Kind.DATETIME,
                description="When the user answered",
                elsewhere=names("submittedAt answeredAt completedAt timestamp date"),
            ),
        ),
        operations={
            "create": (RestRoute(Verb.POST, requires=("userId", "score", "respondedAt"), repeatable=True),),
            "upsert": (
                RestRoute(Verb.POST, requires=("externalId", "userId", "score", "respondedAt"), repeatable=True),
                RestRoute(Verb.PUT, requires=("id", "userId", "score", "respondedAt")),
            ),
            "update": (RestRoute(Verb.PUT, requires=("userId", "score", "respondedAt")),),
            "delete": (DELETE,),
        },
        on_delete="permanently destroys the NPS response",
        keys=(AMONG_NEWEST, BY_ID),
        read_only=ROW | names("dismissedAt user"),
    ),
    Object(
        name="conversation",
        model="conversations",
        open_member="traits",
        written_after=("user",),
        description="A conversation that took place elsewhere; writing it sends nothing to anybody",
        streams=("conversations",),
        path="/conversations",
        fields=(
            ID,
            EXTERNAL_ID,
            Field("subject", description="One line that says what it is about"),
            Field(
                "messages",
                Kind.LIST,
                holds_people=True,
                default=[],
                entries="message",
                description="Messages with externalId, message, from, to, timestamp",
            ),
        ),
        operations={
            "create": (RestRoute(Verb.POST, requires=("externalId", "subject")),),
            "update": (PUT,),
            "delete": (DELETE,),
        },
        on_delete="permanently destroys the conversation and all its messages",
        keys=(AMONG_NEWEST, BY_ID),
        read_only=ROW | names("status rating source externalUrl accounts users admins"),
    ),
    Object(
        name="message",
        description="A message of a conversation; writing it sends nothing to anybody",
        streams=("messages",),
        path="/conversations/{conversationId}/messages",
        item="/messages/{key}",
        fields=(
            ID,
            EXTERNAL_ID,
            Field("conversationId", refers="conversation", in_body=False, description="The conversation it is part of"),
            Field("message", description="The text, HTML", elsewhere=names("body content text html")),
            Field(
                "from",
                Kind.OBJECT,
                holds_people=True,
                description='Who wrote it: {"type": "user" or "admin", "id": an id or an email}',
                elsewhere=names("sender author userExternalId"),
            ),
            Field(
                "to",
                Kind.LIST,
                holds_people=True,
                description="Who got it, each in the form of from",
                elsewhere=names("recipients recipient"),
            ),
            Field("cc", Kind.LIST, holds_people=True, description="Who got a copy, each in the form of from"),
            Field("bcc", Kind.LIST, holds_people=True, description="Who got a hidden copy, each in the form of from"),
            Field("timestamp", Kind.DATETIME, description="When it was sent", elsewhere=names("sentAt date time")),
        ),
        operations={
            "create": (RestRoute(Verb.POST, requires=("conversationId", "externalId", "message", "from", "to")),),
            "delete": (DELETE,),
        },
        on_delete="permanently destroys the message",
        keys=(Key("externalId", lookups=(Lookup.BY_PATH,)), BY_ID),
        read_only=ROW | names("type conversationUpdatedAt accountIds organizationIds userIds adminIds"),
    ),
    Object(
        name="meeting",
        description="A meeting with customers",
        open_member="traits",
        keys=(BY_EXTERNAL_ID, BY_ID),
        written_after=("user",),
        streams=("meetings",),
        path="/meetings",
        fields=(
            ID,
            EXTERNAL_ID,
            Field("title", description="What it is called"),
            Field(
                "participants",
                Kind.LIST,
                create_only=True,
                mentions="user",
                holds_people=True,
                entries="meeting_participant",
                description="Who takes part: each with type and one of userId, vitallyUserId, email",
            ),
            Field("description", description="What it is about"),
            Field("location", description="Where it takes place"),
            Field("startDateTime", Kind.DATETIME, description="When it begins"),
            Field("endDateTime", Kind.DATETIME, description="When it ends"),
            Field("recordingUrl", description="Address of the recording"),
            Field("summary", description="What was said, in short"),
            Field("keyPoints", Kind.TEXTS, description="The points that matter most"),
            Field("riskAssessment", description="What puts the customer at risk"),
        ),
        operations={
            "create": (RestRoute(Verb.POST, requires=("externalId", "title", "participants")),),
            "upsert": (
                RestRoute(
                    Verb.PUT_OR_POST, requires=("externalId",), to_create=("externalId", "title", "participants")
                ),
                PUT_BY_ID,
            ),
            "update": (PUT,),
            "delete": (DELETE,),
        },
        on_delete="archives the meeting, which stays in Vitally with archivedAt set",
        read_only=ROW
        | names("startDate endDate startTimeZone endTimeZone externalStatus source notes tasks")
        | names("recordingUrlFormatted joiningInstructionsUri videoConferenceUri")
        | names("accounts organizations accountIds organizationIds phoneConferenceNumbers conferenceSolution"),
    ),
    Object(
        name="meeting_participant",
        description="Somebody takes part in a meeting",
        path="/meetings/{meetingId}/participants",
        read_path=None,
        fields=(
            ID,
            Field("meetingId", refers="meeting", in_body=False, description="The meeting they take part in"),
            Field("userId", mentions="user", description="Your id of a user"),
            Field("vitallyUserId", directory=Directory.ADMIN, description="A team member"),
            Field("email", mentions="user", description="Address of somebody who is neither"),
            Field("type", description="Their part in it: organizer or attendee", elsewhere=names("role")),
            Field(
                "responseStatus",
                description="Their answer: needsAction, accepted, tentative or declined",
                elsewhere=names("status response rsvp"),
            ),
            Field("isOrganizer", Kind.BOOLEAN, description="Whether they organize it"),
        ),
        operations={
            "create": (RestRoute(Verb.POST, requires=("meetingId", "type")),),
            "delete": (RestRoute(Verb.DELETE, requires=("meetingId",)),),
        },
        on_delete="takes the participant out of the meeting",
        exactly_one=("userId", "vitallyUserId", "email"),
        keys=(BY_ID,),
    ),
    Object(
        name="meeting_transcript",
        description="What was said in a meeting; writing it replaces the whole transcript",
        streams=("meeting_transcripts",),
        path="/meetings/{meetingId}/transcript",
        fields=(
            Field("meetingId", refers="meeting", in_body=False, description="The meeting in which it was said"),
            Field(
                "transcript",
                Kind.LIST,
                description="Each speaker with what they said, sentence by sentence",
                elsewhere=names("text body content sentences"),
            ),
        ),
        operations={"upsert": (RestRoute(Verb.POST, requires=("meetingId", "transcript"), repeatable=True),)},
        keys=(Key("meetingId"),),
        read_only=ROW,
    ),
)
