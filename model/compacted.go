package model

// Compacted is what compacting a manager's document log gave back, as sizes of its file in
// bytes.
type Compacted struct {
	Before int64 `json:"before"`
	After  int64 `json:"after"`
}
