"""Which systems can be read?"""

from __future__ import annotations

from pathlib import Path

SYSTEMS = {
    "zendesk": "Zendesk tickets, audits, comments, ratings and calls (JSON pages, lists or lines; CSV of tickets)",
    "freshdesk": "Freshdesk tickets and conversations (JSON or CSV)",
    "intercom": "Intercom conversations and their parts, tickets and calls (JSON or tables)",
    "servicenow": "a ServiceNow incident audit log, or incidents with their audit, journal and metrics (JSON or CSV)",
    "salesforce": "Salesforce cases with their history, comments and e-mails (CSV or JSON)",
    "jira": "Jira Service Management issues with their changelog, promised times and ratings (JSON or tables)",
    "hubspot": "HubSpot tickets with the history of their properties (JSON or CSV)",
    "calls": "call records of Asterisk or FreePBX (CSV), Amazon Connect or Genesys (JSON)",
}
"""Every system, with what its reader takes; those without a reader are still to come."""


def available() -> dict[str, str]:
    """The systems that have a reader, with what it takes.

    Examples
    --------
    >>> "zendesk" in available()
    True
    """
    rooms = {file.parent.name for file in Path(__file__).parent.glob("*/reader.py")}
    return {system: what for system, what in SYSTEMS.items() if system in rooms}
