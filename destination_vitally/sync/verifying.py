"""Which verification the settings ask for, and when a sync fails by it."""

from __future__ import annotations

import logging
from random import Random

from destination_vitally.api.http import Apis
from destination_vitally.clock import Clock
from destination_vitally.config import Config
from destination_vitally.errors import ConfigError, StoppedError
from destination_vitally.mapping.comparison import Known
from destination_vitally.outcomes.ledger import Ledger
from destination_vitally.transports.verification import Proof, Sampling, Verification

logger = logging.getLogger("airbyte")


def verification_for(config: Config, apis: Apis, known: Known, clock: Clock, ledger: Ledger) -> Verification:
    """Return what proves that rows sent in batches land, if they are sent at all and it is asked for.

    Args:
        config: the settings.
        apis: the ways to Vitally.
        known: what is known of Vitally's ids.
        clock: what the waits go by, and what the choice of a sample begins with.
        ledger: the account of the records.
    """
    if config.verify == "none" or config.dry_run or not apis.analytics:
        return Verification()
    if not apis.rest:
        logger.info("Whether rows have landed in Vitally is not looked at: that needs secret_token (the REST API key).")
        return Verification()
    if config.verify == "all":
        return Proof(apis.rest, known, clock, ledger)
    return Sampling(apis.rest, known, clock, Random(int(clock.now() * 1000)))  # noqa: S311 - a sample is no secret


def look_to_the_end(verification: Verification, *, fails: bool) -> None:
    """Look for what is still to be looked for.

    Args:
        verification: what looks.
        fails: whether the sync fails when something has not landed.

    Raises:
        ConfigError: it fails.
        OutageError: Vitally cannot be reached.
    """
    try:
        verification.finish()
    except StoppedError:
        logger.warning("Out of time after SIGTERM: whether all rows have landed was not looked at to the end.")
    missing = " ".join(text for text, is_missing in verification.sentences() if is_missing)
    if missing and fails:
        raise ConfigError(f"{missing} Correct what is named and sync again, or set on_unverified to warn.")
