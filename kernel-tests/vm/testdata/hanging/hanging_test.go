// Package hanging has a test that never ends.
package hanging

import "testing"

func TestForever(t *testing.T) { <-t.Context().Done() }
