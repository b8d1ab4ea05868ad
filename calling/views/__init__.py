"""Reading only: the floor, reports, why not, and the audit of the promises."""
