package delivery

import (
	"encoding/json"
	"fmt"

	"cassini/model"
)

// Body is a delivery: documents of one host, the first of which stands at a position and
// the others right behind it.
type Body struct {
	Host string `json:"host"`
	model.Position
	Documents []model.Document `json:"documents"`
	// Check is what the manager should have once it has the documents.
	Check *model.Check `json:"check,omitempty"`
}

// UnnumberedBody is what an agent of protocol 1 sends, and whoever does not number documents.
type UnnumberedBody struct {
	Host      string           `json:"host"`
	Documents []model.Document `json:"documents"`
}

// Decode reads a body. What it does not know in it is left alone. Bodies of documents share
// the memory of raw, which may not change any more.
func Decode(raw []byte) (Body, error) {
	if b, ok := quickly(raw, true); ok {
		return b, nil
	}
	var b Body
	if err := json.Unmarshal(raw, &b); err != nil {
		return b, fmt.Errorf("not the JSON that is wanted: %w", err)
	}
	return b, nil
}

// DecodeUnnumbered reads documents without numbers, as Decode does.
func DecodeUnnumbered(raw []byte) (Body, error) {
	if b, ok := quickly(raw, false); ok {
		return b, nil
	}
	var b UnnumberedBody
	if err := json.Unmarshal(raw, &b); err != nil {
		return Body{}, fmt.Errorf("not the JSON that is wanted: %w", err)
	}
	return Body{Host: b.Host, Documents: b.Documents}, nil
}
