"""Companies, people, events and custom objects in the table of objects.

Fields, required fields, paths and the rules about ids are those of Vitally's REST and
Analytics docs; where these are silent or contradict each other, an entry takes the harmless reading.
"""

from __future__ import annotations

from destination_vitally.objects.model import (
    DELETE,
    ID,
    NAME,
    PUT,
    PUT_BY_ID,
    ROW,
    Call,
    Field,
    Find,
    Kind,
    Message,
    Object,
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

TRAITS_NAME = Field("name", analytics="traits.name")
USER_PARENT = ("accountIds", "organizationIds")
AVATAR = Field("avatar", analytics="traits.avatar", in_body=False, description="Address of a picture")

COMPANIES_AND_PEOPLE: tuple[Object, ...] = (
    Object(
        name="organization",
        model="organizations",
        description="The top of the hierarchy, where a workspace has organizations switched on",
        streams=("organizations",),
        path="/organizations",
        fields=(
            ID,
            Field("externalId", analytics="organizationId", create_only=True, description="Your id"),
            TRAITS_NAME,
            AVATAR,
        ),
        operations={
            "create": (Call(Verb.POST, requires=("externalId", "name"), repeatable=True),),
            "upsert": (
                Message("organization", requires=("externalId",)),
                Call(Verb.POST, requires=("externalId", "name"), repeatable=True),
                PUT_BY_ID,
            ),
            "update": (PUT,),
            "delete": (DELETE,),
        },
        on_delete="permanently destroys the organization and everything that belongs only to it",
        read_only=COMPANY,
    ),
    Object(
        name="account",
        model="accounts",
        description="A customer",
        streams=("accounts",),
        path="/accounts",
        fields=(
            ID,
            Field("externalId", analytics="accountId", create_only=True, description="Your id"),
            TRAITS_NAME,
            AVATAR,
            Field("organizationId", analytics="organizationId", refers="organization", inlined="organization"),
        ),
        operations={
            "create": (Call(Verb.POST, requires=("externalId", "name")),),
            "upsert": (
                Message("account", requires=("externalId",)),
                Call(Verb.PUT_OR_POST, requires=("externalId",), to_create=("externalId", "name")),
                PUT_BY_ID,
            ),
            "update": (PUT,),
            "delete": (DELETE,),
        },
        on_delete="permanently destroys the account and everything that belongs only to it",
        read_only=COMPANY,
    ),
    Object(
        name="user",
        model="users",
        description="A person who uses your product",
        streams=("users",),
        path="/users",
        fields=(
            ID,
            Field("externalId", analytics="userId", create_only=True, description="Your id"),
            TRAITS_NAME,
            Field("email", analytics="traits.email"),
            Field("avatar", analytics="traits.avatar", description="Address of a picture"),
            Field("joinDate", Kind.MOMENT, analytics="traits.createdAt"),
            Field("unsubscribedFromConversations", Kind.FLAG),
            Field(
                "accountIds",
                Kind.TEXTS,
                analytics="accountId",
                refers="account",
                inlined="accounts",
                aliases=("accountId",),
            ),
            Field(
                "organizationIds",
                Kind.TEXTS,
                analytics="organizationId",
                refers="organization",
                inlined="organizations",
                aliases=("organizationId",),
            ),
        ),
        operations={
            "create": (Call(Verb.POST, requires=("externalId", USER_PARENT)),),
            "upsert": (
                Message("user", requires=("externalId", USER_PARENT)),
                Call(Verb.PUT_OR_POST, requires=("externalId",), to_create=("externalId", USER_PARENT)),
                PUT_BY_ID,
                Call(Verb.FIND_OR_POST, requires=("email",), to_create=("externalId", USER_PARENT)),
            ),
            "update": (PUT,),
            "delete": (DELETE,),
        },
        on_delete="permanently destroys the user",
        read_only=ROW
        | SEEN
        | names("firstKnown npsLastScore npsLastFeedback npsLastRespondedAt deactivatedAt segments")
        | names("unsubscribedFromConversationsAt permanentlyBounced"),
        finds=(Find.BY_PATH, Find.BY_EMAIL),
        keys=(("externalId",), ("id",), ("email",)),
    ),
    Object(
        name="membership",
        description="A user belongs to an account",
        fields=(
            Field("userId", analytics="userId", refers="user"),
            Field("accountId", analytics="accountId", refers="account"),
        ),
        operations={
            "upsert": (Message("user", requires=("userId", "accountId")),),
            "delete": (Message("unlink", requires=("userId", "accountId"), carries=None),),
        },
        on_delete="takes the user out of the account; both stay",
        keys=(("userId", "accountId"),),
        free=None,
    ),
    Object(
        name="event",
        description="Something a user or an account did in your product",
        streams=("events",),
        fields=(
            Field("messageId", aliases=("id",), in_body=False, description="Your id of the event"),
            Field("event", analytics="event", description="Name of the event"),
            Field("timestamp", Kind.MOMENT, analytics="timestamp", description="When it happened"),
            Field("userId", analytics="userId", refers="user"),
            Field("accountId", analytics="accountId", refers="account"),
            Field("organizationId", analytics="organizationId", refers="organization"),
        ),
        operations={
            "create": (
                Message(
                    "track",
                    requires=("event", ("userId", "accountId", "organizationId"), ("timestamp", "messageId")),
                    carries="properties",
                ),
            ),
        },
        keys=(),
        once=True,
        free="properties",
    ),
    Object(
        name="custom_object_definition",
        description="A kind of custom object",
        streams=("custom_objects",),
        path="/customObjects",
        fields=(ID, NAME, Field("label"), Field("writeMode"), Field("customFields", Kind.LIST)),
        operations={
            "create": (Call(Verb.POST, requires=("name", "label", "writeMode")),),
            "update": (PUT,),
        },
        addresses=("id",),
        finds=(),
        keys=(("id",),),
        read_only=ROW | names("syncActive"),
        free=None,
    ),
    Object(
        name="custom_object/*",
        description="An instance of a custom object",
        model="customObjects",
        defined_traits=True,
        fields=(
            ID,
            Field("externalId", analytics="externalId", description="Your id"),
            Field("name", analytics="name"),
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
            ),
            Field("ownedByVitallyUserId", description="Vitally's id of a team member"),
        ),
        operations={
            "create": (Call(Verb.POST, requires=("name", ("customerId", "organizationId"))),),
            "upsert": (
                Message("customobjectinstance", requires=("externalId", ("customerId", "organizationId"))),
                Call(
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
        lookup="{collection}/search?id={key}",
        addresses=("id",),
        finds=(Find.SEARCH,),
        read_only=ROW | names("customObjectId createdByVitallyUserId customer customers organization"),
    ),
)
