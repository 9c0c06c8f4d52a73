"""Companies, people, events and custom objects in the table of objects.

Fields, required fields, paths and the rules about ids are those of Vitally's REST and
Analytics docs; where these are silent or contradict each other, an entry takes the harmless reading.
"""

from __future__ import annotations

from dataclasses import replace

from destination_vitally.objects.model import (
    BY_EXTERNAL_ID,
    BY_ID,
    DELETE,
    ID,
    PUT,
    PUT_BY_ID,
    ROW,
    USER_EMAIL,
    BatchRoute,
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

NPS_COUNTS = names("npsDetractorCount npsPassiveCount npsPromoterCount npsScore")
SEEN = names("firstSeenTimestamp lastSeenTimestamp lastInboundMessageTimestamp lastOutboundMessageTimestamp")
COMPANY = (
    ROW
    | NPS_COUNTS
    | SEEN
    | names("accountOwnerId organizationOwnerId csmId accountExecutiveId keyRoles segments organization")
    | names("mrr nextRenewalDate churnedAt trialEndDate firstPaidDate healthScore usersCount accountsCount")
)
"""Computed attributes of accounts and organizations. Some are fed from traits, and those do travel."""

USER_PARENT = ("accountIds", "organizationIds")
AVATAR = Field("avatar", analytics="traits.avatar", in_body=False, description="Address of a picture")
NAME = Field("name", analytics="traits.name", description="What it is called in Vitally")
COMPANY_KEYS = (BY_EXTERNAL_ID, BY_ID)

COMPANIES_AND_PEOPLE: tuple[Object, ...] = (
    Object(
        name="organization",
        model="organizations",
        open_member="traits",
        keys=COMPANY_KEYS,
        description="The top of the hierarchy, where a workspace has organizations switched on",
        streams=("organizations",),
        path="/organizations",
        fields=(
            ID,
            Field("externalId", analytics="organizationId", create_only=True, description="Your id"),
            NAME,
            AVATAR,
        ),
        operations={
            "create": (RestRoute(Verb.POST, requires=("externalId", "name"), repeatable=True),),
            "upsert": (
                BatchRoute("organization", requires=("externalId",)),
                RestRoute(Verb.POST, requires=("externalId", "name"), repeatable=True),
                PUT_BY_ID,
            ),
            "update": (PUT,),
            "delete": (DELETE,),
        },
        on_delete="permanently destroys the organization and everything that belongs only to it",
        destroys_below=True,
        can_merge=True,
        read_only=COMPANY,
    ),
    Object(
        name="account",
        model="accounts",
        open_member="traits",
        keys=COMPANY_KEYS,
        description="A customer",
        streams=("accounts",),
        path="/accounts",
        lists=("status=activeOrChurned",),
        fields=(
            ID,
            Field("externalId", analytics="accountId", create_only=True, description="Your id"),
            NAME,
            AVATAR,
            Field(
                "organizationId",
                analytics="organizationId",
                refers="organization",
                inlined="organization",
                description="The organization it belongs to",
            ),
            Field(
                "accountOwnerId",
                is_named=True,
                clear_only=True,
                description="The team member who owns it; Vitally lets the field be emptied, and not set",
            ),
        ),
        operations={
            "create": (RestRoute(Verb.POST, requires=("externalId", "name")),),
            "upsert": (
                BatchRoute("account", requires=("externalId",)),
                RestRoute(Verb.PUT_OR_POST, requires=("externalId",), to_create=("externalId", "name")),
                PUT_BY_ID,
            ),
            "update": (PUT,),
            "delete": (DELETE,),
        },
        on_delete="permanently destroys the account and everything that belongs only to it",
        destroys_below=True,
        can_merge=True,
        read_only=COMPANY - {"accountOwnerId"},
    ),
    Object(
        name="user",
        model="users",
        open_member="traits",
        description="A person who uses your product",
        streams=("users",),
        path="/users",
        fields=(
            ID,
            Field("externalId", analytics="userId", create_only=True, description="Your id"),
            NAME,
            Field("email", analytics="traits.email", description="Address of the user; not unique in Vitally"),
            Field("avatar", analytics="traits.avatar", description="Address of a picture"),
            Field(
                "joinDate", Kind.DATETIME, analytics="traits.createdAt", description="When the user joined your product"
            ),
            Field(
                "unsubscribedFromConversations",
                Kind.BOOLEAN,
                initial=False,
                description="Whether Vitally may not send conversations to the user",
            ),
            Field(
                "accountIds",
                Kind.TEXTS,
                analytics="accountId",
                refers="account",
                inlined="accounts",
                aliases=("accountId",),
                description="The accounts the user belongs to",
            ),
            Field(
                "organizationIds",
                Kind.TEXTS,
                analytics="organizationId",
                refers="organization",
                inlined="organizations",
                aliases=("organizationId",),
                description="The organizations the user belongs to",
            ),
            Field(
                "deleteOn",
                Kind.DATE_OR_DATETIME,
                in_body=False,
                of_deletes=True,
                description="The day or the time at which Vitally is to delete the user; empty: at once",
            ),
        ),
        operations={
            "create": (RestRoute(Verb.POST, requires=("externalId", USER_PARENT)),),
            "upsert": (
                BatchRoute("user", requires=("externalId", USER_PARENT)),
                RestRoute(Verb.PUT_OR_POST, requires=("externalId",), to_create=("externalId", USER_PARENT)),
                PUT_BY_ID,
                RestRoute(Verb.FIND_OR_POST, requires=("email",), to_create=("externalId", USER_PARENT)),
            ),
            "update": (PUT,),
            "delete": (DELETE,),
        },
        on_delete="permanently destroys the user",
        can_merge=True,
        read_only=ROW
        | SEEN
        | names("firstKnown npsLastScore npsLastFeedback npsLastRespondedAt deactivatedAt segments")
        | names("unsubscribedFromConversationsAt permanentlyBounced"),
        keys=(BY_EXTERNAL_ID, BY_ID, Key("email", any_case=True, lookups=(Lookup.BY_EMAIL,))),
    ),
    Object(
        name="membership",
        description="A user belongs to an account",
        fields=(
            Field("userId", analytics="userId", refers="user", description="The user who belongs to the account"),
            replace(USER_EMAIL, elsewhere=names("email")),
            Field("accountId", analytics="accountId", refers="account", description="The account the user belongs to"),
        ),
        operations={
            "upsert": (BatchRoute("user", requires=("userId", "accountId")),),
            "delete": (BatchRoute("unlink", requires=("userId", "accountId"), carries=None),),
        },
        kept_in="userId",
        on_delete="takes the user out of the account; both stay",
        keys=(Key(("userId", "accountId")),),
    ),
    Object(
        name="event",
        description="Something a user or an account did in your product",
        streams=("events",),
        fields=(
            Field("messageId", aliases=("id",), in_body=False, description="Your id of the event"),
            Field("event", analytics="event", description="Name of the event"),
            Field("timestamp", Kind.DATETIME, analytics="timestamp", description="When it happened"),
            Field("userId", analytics="userId", refers="user", description="The user who did it"),
            USER_EMAIL,
            Field("accountId", analytics="accountId", refers="account", description="The account it concerns"),
            Field(
                "organizationId",
                analytics="organizationId",
                refers="organization",
                description="The organization it concerns",
            ),
        ),
        operations={
            "create": (
                BatchRoute(
                    "track",
                    requires=("event", ("userId", "accountId", "organizationId"), ("timestamp", "messageId")),
                    carries="properties",
                ),
            ),
        },
        counts_once=True,
        open_member="properties",
    ),
    Object(
        name="custom_object_definition",
        description="A kind of custom object",
        streams=("custom_objects",),
        path="/customObjects",
        fields=(
            ID,
            Field("name", description="Machine name, such as featureRequest", elsewhere=names("apiName key")),
            Field("label", description="What people see in Vitally", elsewhere=names("title displayName")),
            Field("writeMode", description="Who may change instances: writable, writableByAll or readonly"),
            Field(
                "customFields",
                Kind.LIST,
                description="Custom fields, each with label, type and model",
                elsewhere=names("fields properties traits"),
            ),
        ),
        operations={
            "create": (RestRoute(Verb.POST, requires=("name", "label", "writeMode")),),
            "update": (PUT,),
        },
        keys=(BY_ID,),
        copied_by=Key("name", documented=False, lookups=(Lookup.NEWEST,)),
        read_only=ROW | names("syncActive"),
    ),
    Object(
        name="custom_object/*",
        description="An instance of a custom object",
        model="customObjects",
        open_member="traits",
        defined_traits=True,
        fields=(
            ID,
            Field("externalId", analytics="externalId", description="Your id"),
            Field("name", analytics="name", description="What it is called in Vitally"),
            Field(
                "customerId",
                analytics="accountId",
                refers="account",
                inlined="customer",
                create_only=True,
                aliases=("accountId",),
                description="The account it belongs to",
            ),
            Field(
                "organizationId",
                analytics="organizationId",
                refers="organization",
                inlined="organization",
                create_only=True,
                description="The organization it belongs to",
            ),
            Field("ownedByVitallyUserId", directory=Directory.ADMIN, description="The team member who owns it"),
        ),
        operations={
            "create": (RestRoute(Verb.POST, requires=("name", ("customerId", "organizationId"))),),
            "upsert": (
                BatchRoute("customobjectinstance", requires=("externalId", ("customerId", "organizationId"))),
                RestRoute(
                    Verb.FIND_OR_POST,
                    requires=("externalId",),
                    to_create=("externalId", "name", ("customerId", "organizationId")),
                ),
                PUT_BY_ID,
            ),
            "update": (PUT,),
            "delete": (DELETE,),
        },
        on_delete="permanently destroys the custom object instance (by some of Vitally's documentation it is archived)",
        read_path="{collection}/search?id={key}",
        keys=(Key("externalId", lookups=(Lookup.SEARCH,)), BY_ID),
        read_only=ROW | names("customObjectId createdByVitallyUserId customer customers organization"),
    ),
)
