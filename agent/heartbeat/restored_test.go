package heartbeat

import (
	"testing"
	"time"

	"cassini/model"
)

// TestRestoredManager: a place whose epoch has leapt is of a manager that was put back to a
// backup, and nothing else is.
func TestRestoredManager(t *testing.T) {
	restored := 0
	cfg := configOf(t.TempDir(), &manager{places: []*model.Assignment{alone(5)}}, &logged{})
	cfg.Restored = func() { restored++ }
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t, h, "it has its place", func() bool { return len(h.Stats().Rings) == 1 }); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		epoch model.Epoch
		want  int
	}{
		{5, 0}, // told again, as by a manager that was started again
		{6, 0},
		{4 + model.EpochLeap, 0}, // less than the least leap
		{4 + 2*model.EpochLeap, 1},
		{4 + 2*model.EpochLeap, 1},
		{6 + model.EpochLeap, 1}, // stale
	} {
		h.member.Assign(alone(step.epoch), time.Now())
		if restored != step.want {
			t.Errorf("at epoch %d it seems restored %d times, want %d", step.epoch, restored, step.want)
		}
	}
}
