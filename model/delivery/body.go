package delivery

import (
	"bytes"
	"encoding/json"
	"errors"
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

// MaxDocuments is how many documents a body has at most.
const MaxDocuments = 10_000

// ErrTooMany says that a body has more documents.
var ErrTooMany = errors.New("too many documents")

// Decode reads a body. What it does not know in it is left alone. Bodies of documents share
// the memory of raw, which may not change any more. Documents beyond MaxDocuments get no
// memory: the error wraps ErrTooMany.
func Decode(raw []byte) (Body, error) {
	if b, ok := quickly(raw, true); ok {
		return b, nil
	}
	var b struct {
		Body
		Documents bounded `json:"documents"`
	}
	if err := slowly(raw, &b); err != nil {
		return Body{}, err
	}
	b.Body.Documents = b.Documents
	return b.Body, nil
}

// DecodeUnnumbered reads documents without numbers, as Decode does.
func DecodeUnnumbered(raw []byte) (Body, error) {
	if b, ok := quickly(raw, false); ok {
		return b, nil
	}
	var b struct {
		Host      string  `json:"host"`
		Documents bounded `json:"documents"`
	}
	err := slowly(raw, &b)
	return Body{Host: b.Host, Documents: b.Documents}, err
}

func slowly(raw []byte, into any) error {
	err := json.Unmarshal(raw, into)
	if err != nil && !errors.Is(err, ErrTooMany) {
		return fmt.Errorf("not the JSON that is wanted: %w", err)
	}
	return err
}

// bounded are the documents of a body, counted while they are decoded: an empty one takes
// three bytes of a body, and fifty times as many of memory.
type bounded []model.Document

// UnmarshalJSON implements json.Unmarshaler.
func (b *bounded) UnmarshalJSON(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	*b = nil
	begin, err := d.Token()
	switch {
	case err != nil || begin == nil:
		return err
	case begin != json.Delim('['):
		return fmt.Errorf("documents: %v is no list", begin)
	}
	*b = bounded{}
	for d.More() {
		if len(*b) == MaxDocuments {
			return fmt.Errorf("%w: at most %d are taken at once", ErrTooMany, MaxDocuments)
		}
		var doc model.Document
		if err := d.Decode(&doc); err != nil {
			return fmt.Errorf("document %d: %w", len(*b)+1, err)
		}
		*b = append(*b, doc)
	}
	return nil
}
