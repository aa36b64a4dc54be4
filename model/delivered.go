package model

// Reasons for which the manager refuses what agents deliver.
const (
	RefusedBusy      = "busy"
	RefusedTooLarge  = "too_large"
	RefusedBomb      = "bomb"
	RefusedMalformed = "malformed"
	RefusedInvalid   = "invalid"
	RefusedSlow      = "slow"
	RefusedVersion   = "version"
	RefusedMachine   = "machine"
)

// DeliveryStats are the manager's figures of what agents deliver.
type DeliveryStats struct {
	Underway  int    `json:"underway"`
	Limit     int    `json:"limit"`     // of Underway
	Batches   uint64 `json:"batches"`   // that are durable
	Documents uint64 `json:"documents"` // in them, without those of Known
	Known     uint64 `json:"known"`     // documents that had come before
	Gaps      uint64 `json:"gaps"`      // batches before which documents are missing
	Compared  uint64 `json:"compared"`  // batches behind which agent and manager compared what they have
	Differed  uint64 `json:"differed"`  // of Compared, where they had something else
	WireBytes uint64 `json:"wire_bytes"`
	Bytes     uint64 `json:"bytes"` // of the same bodies, decompressed
	// Refused counts requests by reason.
	Refused map[string]uint64 `json:"refused"`
}
