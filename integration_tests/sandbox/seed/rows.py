"""Rows as a customer's workspace holds them: realistic, and as nasty as real ones."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from integration_tests.sandbox.data.workspace import Workspace
from integration_tests.sandbox.seed.definitions import EMPTY_OBJECT
from integration_tests.sandbox.wire.clock import iso
from integration_tests.sandbox.wire.messages import Row

DEFAULT_SIZES = {
    "organizations": 12,
    "accounts": 60,
    "users": 120,
    "conversations": 30,
    "projects": 15,
    "meetings": 20,
    "notes": 60,
    "tasks": 50,
    "npsResponses": 40,
    "instances": 60,
    "surveyResponses": 15,
}
COMPANIES = (
    "Northwind Ltd",
    "Ørsted & Søn",
    "北京科技",
    'O\'Brien "Brothers"',
    "Zoë's Café",
    "Ромашка",
    "Émile,\tFils",
    "🚀 Rocket",
)
PEOPLE = ("Ida Berg", "Łukasz Żak", "María-José Núñez", "Nguyễn Văn An", "O'Neil", "山田 太郎", "Ada")
# Forms an id of the customer's own takes; all have to survive in a path.
ID_FORMS = ("{kind}-{n}", "{kind}/eu {n}", "{kind}+{n}@example.com", "{n}0042", "{kind}-ü{n}%20?#")
HTML = (
    "<p>Went <strong>well</strong> &amp; on time</p>",
    '<p>See <a href="https://example.com/?a=1&amp;b=2">the plan</a><br/>Next: <em>demo</em></p>',
    "<ul><li>Überblick</li><li>価格</li></ul>",
    "plain text, no tags",
)
PLAIN_ROWS = 3
SOURCES = (None, None, "hubspot", "salesforce")


class Seeder:
    """Makes rows up, the same for the same seed but for the time, which is relative to the clock."""

    def __init__(self, workspace: Workspace, seed: int, sizes: Mapping[str, int]) -> None:
        if unknown := set(sizes) - set(DEFAULT_SIZES):
            raise ValueError(f"sizes: unknown {sorted(unknown)}, known are {sorted(DEFAULT_SIZES)}")
        self.workspace = workspace
        self.sizes = {**DEFAULT_SIZES, **sizes}
        self.random = random.Random(f"rows {seed}")
        self.now = workspace.clock.now()
        self.admins = self._ids("admins")
        self.roles: dict[str, Row] = {}
        self.segment = self._uuid()

    def run(self) -> None:
        makers = {
            "organizations": self.organization,
            "accounts": self.account,
            "users": self.user,
            "conversations": self.conversation,
            "projects": self.project,
            "meetings": self.meeting,
            "notes": self.note,
            "tasks": self.task,
            "npsResponses": self.nps_response,
            "instances": self.instance,
            "surveyResponses": self.survey_response,
        }
        parents = {"users": "accounts", "projects": "accounts", "notes": "accounts", "tasks": "accounts"}
        for resource, make in makers.items():
            needed = parents.get(resource, "users" if resource not in ("organizations", "accounts") else None)
            if needed is not None and not self.workspace.rows(needed):
                continue
            self._prepare(resource)
            for n in range(self.sizes[resource]):
                make(n)
        for name, table in self.workspace.tables.items():
            if name not in makers and "list" in table.resource.operations and not self.workspace.rows(name):
                self._plain_rows(name, table.resource.attributes)

    def _plain_rows(self, resource: str, attributes: Mapping[str, Any]) -> None:
        """Give a list that nothing here knows some rows, so that a new resource needs its description only."""
        for n in range(PLAIN_ROWS):
            self._insert(resource, **({"name": f"{resource} {n}"} if "name" in attributes else {}))

    # Customers

    def organization(self, n: int) -> None:
        self._insert(
            "organizations",
            externalId=self._own_id("org", n),
            name=f"{COMPANIES[n % len(COMPANIES)]} Group {n}",
            organizationOwnerId=self._maybe(self.random.choice(self.admins)),
            mrr=self._maybe(self.random.randrange(1000, 90000)),
            healthScore=self._maybe(round(self.random.uniform(0, 10), 1)),
            segments=self._segments(),
            untracked=n % 10 == 7,
            traits={"region": "EMEA", "vitally.custom.npsScore": n, "sfdc.Customer_Health_Score__c": 7.5},
        )

    def account(self, n: int) -> None:
        admin = self.workspace.get("admins", self.random.choice(self.admins))
        role = {"id": self._uuid(), "createdAt": self._time(), "label": "CSM"}
        member = {name: admin[name] for name in ("id", "name", "email", "licenseStatus")}
        assigned = {"id": self._uuid(), "createdAt": self._time(), "assignedAt": self._time()}
        self._insert(
            "accounts",
            externalId=self._own_id("cust", n),
            name=f"{COMPANIES[n % len(COMPANIES)]} {n}",
            organizationId=self._pick("organizations", 0.5),
            accountOwnerId=self._maybe(admin["id"]),
            csmId=self._maybe(admin["id"]),
            mrr=self._maybe(round(self.random.uniform(0, 5000), 2)),
            healthScore=self._maybe(round(self.random.uniform(0, 10), 1)),
            churnedAt=self._time() if n % 9 == 4 else None,
            untracked=n % 15 == 7,
            nextRenewalDate=self._maybe(iso(self.now + timedelta(days=n + 1))),
            lastSeenTimestamp=self._maybe(self._time()),
            usersCount=self.random.randrange(20),
            keyRoles=[{**assigned, "keyRole": self.roles.setdefault(role["label"], role), "vitallyUser": member}]
            if n % 3 == 0
            else [],
            segments=self._segments(),
            traits=self._traits(n),
        )

    def user(self, n: int) -> None:
        name = PEOPLE[n % len(PEOPLE)]
        organization = self._pick("organizations", 0.35)
        accounts = self.random.sample(self.accounts, min(len(self.accounts), self.random.choice((1, 1, 1, 2, 3))))
        self._insert(
            "users",
            externalId=self._own_id("user", n),
            name=self._maybe(name),
            email=f"user.{n}+test@customer{n % 7}.example" if n % 11 else None,
            joinDate=self._maybe(self._time()),
            lastSeenTimestamp=self._maybe(self._time()),
            deactivatedAt=self._time() if n % 13 == 5 else None,
            unsubscribedFromConversations=n % 8 == 0,
            npsLastScore=self._maybe(self.random.randrange(11)),
            segments=self._segments(),
            accountIds=[] if organization and n % 6 == 1 else accounts,
            organizationIds=[organization] if organization else [],
            traits={
                "vitally.custom.role": "Admin",
                "vitally.custom.champion": n % 2 == 0,
                "logins.last.week": n,
            },
        )

    def nps_response(self, n: int) -> None:
        dismissed = n % 6 == 3
        self._insert(
            "npsResponses",
            externalId=f"nps-{n}" if n % 4 else None,
            userId=self.random.choice(self.users),
            score=None if dismissed else self.random.randrange(11),
            feedback=None if dismissed else self._maybe("Très bien 👍"),
            respondedAt=None if dismissed else self._time(),
            dismissedAt=self._time() if dismissed else None,
        )

    def survey_response(self, n: int) -> None:
        survey = self.surveys[n % len(self.surveys)]
        answers: tuple[tuple[str, Any], ...] = (("number", n), ("string", "Gut"), ("array", ["a", "b"]))
        questions = self.workspace.scoped("surveyQuestions", "surveyId", survey)
        self._insert(
            "surveyResponses",
            surveyId=survey,
            organizationId=self._pick("organizations", 0.3),
            userId=self.random.choice(self.users),
            title=self._maybe("How are we doing?"),
            respondedAt=self._time(),
            questionResponses=[
                {"id": self._uuid(), "questionId": question["id"], "data": {"type": kind, "value": value}}
                for question, (kind, value) in zip(questions, answers, strict=True)
            ],
        )

    # Work

    def conversation(self, n: int) -> None:
        row = self._insert(
            "conversations",
            externalId=f"ticket-{n}" if n % 5 else None,
            subject=self._maybe(f"Re: Export fails №{n}"),
            status=self._maybe("open"),
            source=self.random.choice(("zendesk", "outlook", None)),
            traits={"zendesk.status": "open", "zendesk.tags": ["export", "csv"]} if n % 2 else {},
        )
        for m in range(n % 4):
            user = {"type": "user", "id": self.random.choice(self.users)}
            admin = {"type": "admin", "id": self.random.choice(self.admins)}
            inbound = m % 2 == 0
            self.workspace.insert(
                "messages",
                {
                    "conversationId": row["id"],
                    "createdAt": row["createdAt"],
                    "externalId": f"ticket-{n}-{m}",
                    "type": "inbound" if inbound else "outbound",
                    "timestamp": row["createdAt"],
                    "message": self.random.choice(HTML),
                    "from": user if inbound else admin,
                    "to": [admin if inbound else user],
                },
            )
        self.workspace.update("conversations", row["id"], {}, bump=False)

    def note(self, n: int) -> None:
        self._insert(
            "notes",
            **self._parent(n),
            externalId=self._own_id("note", n) if n % 3 else None,
            subject=self._maybe(f"Kick-off {n}"),
            note=self.random.choice(HTML),
            noteDate=self._time(),
            authorId=self._maybe(self.random.choice(self.admins)),
            categoryId=self._pick("noteCategories", 0.7),
            tags=["onboarding", "Ü"][: n % 3],
            source=self.random.choice(SOURCES),
            archivedAt=self._archived(n),
            traits={"vitally.custom.sentiment": "Healthy"} if n % 2 else {},
        )

    def task(self, n: int) -> None:
        done = n % 4 == 0
        self._insert(
            "tasks",
            **self._parent(n),
            externalId=self._own_id("task", n) if n % 3 else None,
            name=f"Send survey {n}",
            description=self._maybe(self.random.choice(HTML)),
            dueDate=self._maybe(self._time()[:10]),
            completedAt=self._time() if done else None,
            completedById=self.random.choice(self.admins) if done else None,
            assignedToId=self._maybe(self.random.choice(self.admins)),
            categoryId=self._pick("taskCategories", 0.7),
            projectIds=[i for i in [self._pick("projects", 0.3)] if i],
            meetingId=self._pick("meetings", 0.2),
            tags=["renewal"] if n % 2 else [],
            source=self.random.choice(SOURCES),
            archivedAt=self._archived(n),
            traits={"vitally.custom.effort": n} if n % 2 else {},
        )

    def project(self, n: int) -> None:
        template = self.workspace.get("projectTemplates", self.random.choice(self._ids("projectTemplates")))
        self._insert(
            "projects",
            **self._parent(n),
            name=f"{template['projectName']} {n}",
            templateId=template["id"],
            projectCategoryId=template["projectCategoryId"],
            projectStatusId=self._pick("projectStatuses", 0.8),
            ownedByVitallyUserId=self._maybe(self.random.choice(self.admins)),
            durationInDays=self._maybe(n),
            targetStartDate=self._maybe(self._time()[:10]),
            targetCompletionDate=self._maybe(self._time()[:10]),
            archivedAt=self._archived(n),
            traits={"vitally.custom.nextStep": "Training\nthen go-live"} if n % 2 else {},
        )

    def meeting(self, n: int) -> None:
        row = self._insert(
            "meetings",
            externalId=f"cal-{n}",
            title=f"QBR {n} — Überblick",
            startDateTime=self._time(),
            startTimeZone="utc",
            summary=self._maybe(HTML[0]),
            keyPoints=["renewal", "価格"][: n % 3],
            archivedAt=self._archived(n),
            traits={},
        )
        old = {"createdAt": row["createdAt"], "meetingId": row["id"]}
        user = self.workspace.get("users", self.random.choice(self.users))
        people = (
            {"userId": user["externalId"]},
            {"vitallyUserId": self.random.choice(self.admins)},
            {"email": "stranger@nowhere.example"},
        )
        for m, person in enumerate(people):
            kind = {"type": "attendee" if m else "organizer", "responseStatus": "accepted"}
            self.workspace.insert("meetingParticipants", {**old, **person, **kind})
        self.workspace.update("meetings", row["id"], {}, bump=False)
        if n % 2:
            part = {
                "speaker": {"externalId": "s1"},
                "sentences": [{"text": "Hi", "startTime": 0, "endTime": 9}],
            }
            updated = {"updatedAt": row["updatedAt"], "transcript": [part]}
            self.workspace.insert("meetingTranscripts", {**old, **updated})

    def instance(self, n: int) -> None:
        in_organization = n % 6 == 1 and bool(self.organizations)
        self._insert(
            "instances",
            customObjectId=self.custom_objects[n % len(self.custom_objects)],
            externalId=self._own_id("inst", n) if n % 7 else None,
            name=f"Dark mode {n} 🌒",
            customerId=None if in_organization else self.random.choice(self.accounts),
            organizationId=self.random.choice(self.organizations) if in_organization else None,
            ownedByVitallyUserId=self._maybe(self.random.choice(self.admins)),
            archivedAt=self._archived(n),
            traits={
                "vitally.custom.stage": "Planned",
                "vitally.custom.dealValue": n * 100.5,
                "vitally.custom.labels": ["a", "β"],
            },
        )

    # Helpers

    def _prepare(self, resource: str) -> None:
        """Look up once what the rows of this resource refer to."""
        self._pool: dict[str, list[str]] = {}
        self.organizations, self.accounts = self._ids("organizations"), self._ids("accounts")
        self.users = self._ids("users")
        objects = self.workspace.rows("customObjects")
        self.custom_objects = [row["id"] for row in objects if row["name"] != EMPTY_OBJECT]
        if resource == "surveyResponses":
            self.surveys = [self._insert("surveys", title=title)["id"] for title in ("CSAT", "Onboarding")]
            for survey in self.surveys:
                for kind in ("number", "string", "array"):
                    self._insert("surveyQuestions", surveyId=survey, title=f"A {kind}?", type=kind)

    def _insert(self, resource: str, **values: Any) -> Row:
        age = timedelta(days=730) * self.random.random()
        created, updated = self.now - age, self.now - age * self.random.random()
        return self.workspace.insert(resource, {"createdAt": iso(created), "updatedAt": iso(updated), **values})

    def _ids(self, resource: str) -> list[str]:
        return [row["id"] for row in self.workspace.rows(resource)]

    def _pick(self, resource: str, chance: float) -> str | None:
        if resource not in self._pool:
            self._pool[resource] = self._ids(resource)
        pool = self._pool[resource]
        return self.random.choice(pool) if pool and self.random.random() < chance else None

    def _maybe(self, value: Any) -> Any:
        return value if self.random.random() < 0.75 else None

    def _time(self) -> str:
        moment: datetime = self.now - timedelta(days=730) * self.random.random()
        return iso(moment)

    def _uuid(self) -> str:
        return self.workspace.new_id()

    def _own_id(self, kind: str, n: int) -> str:
        return ID_FORMS[n % len(ID_FORMS)].format(kind=kind, n=n)

    def _archived(self, n: int) -> str | None:
        return self._time() if n % 6 == 2 else None

    def _parent(self, n: int) -> Row:
        if n % 5 == 3 and self.organizations:
            return {"organizationId": self.random.choice(self.organizations)}
        return {"accountId": self.random.choice(self.accounts)}

    def _segments(self) -> list[Row]:
        return [{"id": self.segment, "name": "Enterprise"}][: self.random.randrange(2)]

    def _traits(self, n: int) -> Row:
        return {
            "seats": n,
            "plan name": "Team",
            "stripe.metadata.credit-discount-percent": n,
            "vitally.custom.tier": self.random.choice("ABC"),
            "vitally.custom.isReference": n % 2 == 0,
            "sfdc.Customer_Health_Score__c": round(self.random.uniform(0, 10), 2),
            "hspot.last_contact": 1767225600000 + n,
            "products": ["core", "ad-döns"][: n % 3],
            "emptied": None,
        }
