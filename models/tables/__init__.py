"""Every table, by the file that keeps it. `TENANT` tables lie behind the wall (P7)."""

from models.tables.assignments import Assignment, Hold, Label, Placement, RetryChange, RuleSet, Segment
from models.tables.attempts import Attempt, DialerEvent
from models.tables.base import FOREVER, Base
from models.tables.bulk import BulkAction, BulkPart
from models.tables.changes import FacetChange, FacetHorizon
from models.tables.customers import (
    Customer,
    CustomerDay,
    CustomerEdit,
    CustomerNumber,
    CustomerTag,
    Field,
    UniqueValue,
)
from models.tables.follow_ups import FollowUp
from models.tables.history import SegmentEvent, SegmentMove
from models.tables.hours import Exemption, RezonedCustomers, Rezoning, StricterHours
from models.tables.leases import ClaimCustomer, ClaimNumber, Lease, Recall, RingLimit
from models.tables.limits import CallLimit, LimitChange
from models.tables.owners import ApiKey, BusinessClock, CallClock, Crm, DataOwner, DataVersion
from models.tables.people import Dialer, Seller
from models.tables.templates import TurnoverClasses
from models.tables.upkeep import BrokenRule, ImportRun, Rebuild, Sweep
from models.tables.walls import Pause, Suppression

SHARED = (DataOwner, Crm, ApiKey, BusinessClock, CallClock, DataVersion)
TENANT = (
    Customer, CustomerNumber, Field, UniqueValue, CustomerDay, CustomerTag, CustomerEdit,
    Assignment, RetryChange, Segment, Label, RuleSet, Placement, Hold, FollowUp, SegmentMove, SegmentEvent,
    BulkAction, BulkPart,
    Seller, Dialer,
    Lease, ClaimCustomer, ClaimNumber, Recall, RingLimit,
    Attempt, DialerEvent,
    Pause, Suppression, CallLimit, LimitChange,
    StricterHours, Exemption, Rezoning, RezonedCustomers,
    Rebuild, ImportRun, Sweep, BrokenRule, TurnoverClasses,
    FacetChange, FacetHorizon,
)  # fmt: skip

__all__ = [
    "FOREVER", "SHARED", "TENANT", "ApiKey", "Assignment", "Attempt", "Base", "BrokenRule",
    "BulkAction", "BulkPart", "BusinessClock", "CallClock", "CallLimit", "ClaimCustomer",
    "ClaimNumber", "Crm", "Customer", "CustomerDay", "CustomerEdit", "CustomerNumber", "CustomerTag",
    "DataOwner", "DataVersion", "Dialer", "DialerEvent", "Exemption", "FacetChange", "FacetHorizon", "Field",
    "FollowUp", "Hold", "ImportRun", "Label", "Lease", "LimitChange", "Pause", "Placement", "Rebuild",
    "Recall", "RetryChange", "RezonedCustomers", "Rezoning", "RingLimit", "RuleSet", "Segment",
    "SegmentEvent", "SegmentMove", "Seller", "StricterHours", "Suppression", "Sweep", "TurnoverClasses",
    "UniqueValue",
]  # fmt: skip
