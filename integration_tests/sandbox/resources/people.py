"""Accounts, organizations, users, admins and what users answer: the resources, from Vitally's REST docs."""

from __future__ import annotations

from integration_tests.sandbox.resources.model import (
    NPS_COUNTS,
    PARENT_LIST_ROWS,
    PARENT_LISTS,
    READ,
    STAMPS,
    WRITE,
    Inline,
    Resource,
    Writing,
    account_state,
    always,
    attributes,
    names,
    nps_state,
    organization_state,
)

ACCOUNTS = Resource(
    "accounts",
    READ | WRITE,
    attributes(
        "externalId name organizationId accountOwnerId mrr"
        " healthScore nextRenewalDate churnedAt trialEndDate"
        " firstSeenTimestamp lastSeenTimestamp lastInboundMessageTimestamp"
        " lastOutboundMessageTimestamp npsScore"
        " csmId accountExecutiveId",
        usersCount=0,
        **NPS_COUNTS,
        keyRoles=[],
        segments=[],
        traits={},
        untracked=False,
    ),
    account_state,
    under={"organizations": "organizationId"},
    filters=("status",),
    hidden=("untracked",),
    ids="either",
    delete_ids="either",
    writing=Writing(
        required=("externalId", "name"),
        create=names("externalId name organizationId traits"),
        update=names("name organizationId accountOwnerId traits"),
        references={"organizationId": "organizations"},
        post_existing="account_post_existing",
    ),
)

ORGANIZATIONS = Resource(
    "organizations",
    READ | WRITE,
    attributes(
        "externalId name organizationOwnerId mrr firstPaidDate"
        " nextRenewalDate churnedAt trialEndDate healthScore"
        " csmId accountExecutiveId npsScore lastSeenTimestamp",
        usersCount=0,
        accountsCount=0,
        **NPS_COUNTS,
        keyRoles=[],
        segments=[],
        traits={},
        untracked=False,
    ),
    organization_state,
    hidden=("untracked",),
    ids="either",
    delete_ids="either",
    writing=Writing(
        required=("externalId", "name"),
        create=names("externalId name traits"),
        update=names("name traits"),
        post_existing="update",
    ),
)

USERS = Resource(
    "users",
    READ | WRITE,
    attributes(
        "externalId name email avatar joinDate firstKnown lastSeenTimestamp lastInboundMessageTimestamp"
        " lastOutboundMessageTimestamp npsLastScore npsLastFeedback"
        " npsLastRespondedAt unsubscribedFromConversationsAt"
        " deactivatedAt permanentlyBounced",
        unsubscribedFromConversations=False,
        segments=[],
        traits={},
        accountIds=[],
        organizationIds=[],
        deleteOn=None,
    ),
    always,
    under=PARENT_LISTS,
    scopes=("email",),
    inlines=PARENT_LIST_ROWS,
    hidden=("accountIds", "organizationIds", "deleteOn"),
    ids="either",
    delete_ids="either",
    writing=Writing(
        required=("externalId",),
        create=names(
            "externalId accountIds organizationIds name email avatar unsubscribedFromConversations traits joinDate"
        ),
        update=names("accountIds organizationIds name email avatar unsubscribedFromConversations traits joinDate"),
        one_of=("accountIds", "organizationIds"),
        references={"accountIds": "accounts", "organizationIds": "organizations"},
        kinds={
            "accountIds": "texts",
            "organizationIds": "texts",
            "joinDate": "datetime",
            "unsubscribedFromConversations": "flag",
        },
        post_existing="account_post_existing",
    ),
)

ADMINS = Resource(
    "admins",
    frozenset({"list"}),
    attributes("name email licenseStatus"),
    always,
    sort_documented=False,
    hidden=STAMPS,
)

NPS_RESPONSES = Resource(
    "npsResponses",
    READ | WRITE,
    attributes(
        "externalId userId score feedback respondedAt dismissedAt",
        accountIds=[],
        organizationIds=[],
        targets=[],
    ),
    nps_state,
    under=PARENT_LISTS,
    scopes=("userId",),
    filters=("target",),
    inlines=(Inline("user", "users", "userId"),),
    hidden=("accountIds", "organizationIds", "targets"),
    writing=Writing(
        required=("userId", "respondedAt", "score"),
        create=names("externalId userId respondedAt score feedback"),
        update=names("userId respondedAt score feedback"),
        references={"userId": "users"},
        kinds={"userId": "id", "respondedAt": "datetime", "score": "score"},
        post_existing="update",
    ),
)

# Surveys cannot be listed: their ids are only visible in the app.
SURVEYS = Resource("surveys", frozenset(), attributes("title"), always)

SURVEY_RESPONSES = Resource(
    "surveyResponses",
    frozenset({"get"}),
    attributes("surveyId organizationId userId title body respondedAt", questionResponses=[]),
    always,
    under={"surveys": "surveyId"},
    sort_documented=False,
)

SURVEY_QUESTIONS = Resource(
    "surveyQuestions",
    frozenset({"get"}),
    attributes("surveyId title body type", isRequired=False),
    always,
    scopes=("surveyId",),
    hidden=("surveyId", *STAMPS),
)
