package model

// TenantStats are figures of the tenants of an estate since the start.
type TenantStats struct {
	Kept      int    `json:"kept"`      // tenants whose graphs are in memory
	Forgotten uint64 `json:"forgotten"` // graphs that went, since nobody asked or a host was moved
	Refused   uint64 `json:"refused"`   // questions of tenants' people about what is not theirs
}
