package store

import (
	"fmt"

	"cassini/model"
)

// Validate checks all documents of a batch. The error wraps
// model.ErrInvalidDocument and says which document is wrong.
func Validate(docs []model.Document) error {
	for i, d := range docs {
		if err := d.Validate(); err != nil {
			return fmt.Errorf("document %d of %d (%q): %w", i+1, len(docs), d.String(), err)
		}
	}
	return nil
}
