"""Every table, by the file that keeps it. `TENANT` tables lie behind the wall (P7)."""

from models.tables.assignments import (
    Assignment,
    BestHours,
    Hold,
    Label,
    NumberPlanChange,
    Placement,
    RetryChange,
    RuleSet,
    Segment,
)
from models.tables.attempts import Attempt, DialerEvent, SetAside
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
    TagTaken,
    UniqueValue,
    ZoneVerification,
)
from models.tables.follow_ups import FollowUp
from models.tables.history import SegmentEvent, SegmentMove
from models.tables.hot_leads import HotLead
from models.tables.hours import (
    Exemption,
    OwnHoursChange,
    RezonedCustomers,
    RezonedPromise,
    Rezoning,
    StricterHours,
)
from models.tables.leases import ClaimCustomer, ClaimNumber, Lease, Recall, RingLimit
from models.tables.limits import CallLimit, LimitChange
from models.tables.owners import ApiKey, BusinessClock, CallClock, Crm, DataOwner, DataVersion
from models.tables.people import Dialer, DialerCause, DialerCauseChange, PresenceChange, Seller
from models.tables.registers import (
    CrmRegister,
    Register,
    RegisterExemption,
    RegisterNumber,
    RegisterStaging,
    RegisterVersion,
    RegisterWall,
)
from models.tables.templates import TurnoverClasses
from models.tables.upkeep import BrokenRule, ImportRun, Rebuild, Sweep
from models.tables.walls import Pause, ReachChange, SharedPause, SharedSuppression, Suppression

SHARED = (
    DataOwner, Crm, ApiKey, BusinessClock, CallClock, DataVersion,
    SharedPause, SharedSuppression, Register, RegisterVersion, RegisterNumber, RegisterStaging,
)  # fmt: skip
TENANT = (
    Customer, CustomerNumber, ZoneVerification, Field, UniqueValue, CustomerDay, CustomerTag, TagTaken,
    CustomerEdit,
    Assignment, BestHours, NumberPlanChange, RetryChange, Segment, Label, RuleSet, Placement, Hold,
    FollowUp, HotLead, SegmentMove, SegmentEvent, BulkAction, BulkPart,
    Seller, PresenceChange, Dialer, DialerCause, DialerCauseChange,
    Lease, ClaimCustomer, ClaimNumber, Recall, RingLimit,
    Attempt, DialerEvent, SetAside,
    Pause, Suppression, ReachChange, CrmRegister, RegisterWall, RegisterExemption, CallLimit, LimitChange,
    StricterHours, Exemption, OwnHoursChange, Rezoning, RezonedCustomers, RezonedPromise,
    Rebuild, ImportRun, Sweep, BrokenRule, TurnoverClasses,
    FacetChange, FacetHorizon,
)  # fmt: skip

__all__ = [
    "FOREVER", "SHARED", "TENANT", "ApiKey", "Assignment", "Attempt", "Base", "BestHours", "BrokenRule",
    "BulkAction", "BulkPart", "BusinessClock", "CallClock", "CallLimit", "ClaimCustomer", "ClaimNumber",
    "Crm", "CrmRegister", "Customer", "CustomerDay", "CustomerEdit", "CustomerNumber", "CustomerTag",
    "DataOwner", "DataVersion", "Dialer", "DialerCause", "DialerCauseChange",
    "DialerEvent", "Exemption", "FacetChange", "FacetHorizon",
    "Field", "FollowUp", "Hold", "HotLead", "ImportRun", "Label", "Lease", "LimitChange", "NumberPlanChange",
    "OwnHoursChange", "Pause", "Placement", "PresenceChange", "ReachChange", "Rebuild", "Recall", "Register",
    "RegisterExemption", "RegisterNumber", "RegisterStaging", "RegisterVersion", "RetryChange",
    "RezonedCustomers", "RezonedPromise", "Rezoning", "RingLimit", "RuleSet", "Segment", "SegmentEvent",
    "SegmentMove", "Seller", "SetAside", "SharedPause", "SharedSuppression", "StricterHours", "Suppression",
    "Sweep", "TurnoverClasses", "UniqueValue", "ZoneVerification",
]  # fmt: skip
