// Package failing has a test that fails beside one that passes.
package failing

import "testing"

func TestGood(t *testing.T) {}

func TestBad(t *testing.T) {
	t.Run("deep", func(t *testing.T) { t.Error("failed on purpose") })
}
