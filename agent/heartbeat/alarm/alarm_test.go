package alarm_test

import (
	"testing"
	"time"

	"cassini/agent/heartbeat/alarm"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience ends a wait for what never comes; it is no measure of speed.
const patience = 30 * time.Second

func start(t *testing.T) *alarm.Alarm {
	t.Helper()
	a, err := alarm.New()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); a.Run() }()
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return a
}

func set(t *testing.T, a *alarm.Alarm, at time.Time) {
	t.Helper()
	if err := a.Set(at); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, a *alarm.Alarm) {
	t.Helper()
	select {
	case <-a.C():
	case <-time.After(patience):
		t.Fatal("it did not ring")
	}
}

func TestRings(t *testing.T) {
	a := start(t)
	for range 3 { // anew each time
		at := time.Now().Add(20 * time.Millisecond)
		set(t, a, at)
		hear(t, a)
		if early := time.Until(at); early > 0 {
			t.Errorf("it rang %v early", early)
		}
	}
	set(t, a, time.Now().Add(-time.Hour)) // of the past: at once
	hear(t, a)
}

// A later time takes the earlier one's place, an earlier one the later's; never is never.
func TestSetAgain(t *testing.T) {
	a := start(t)
	set(t, a, time.Now().Add(time.Hour))
	first := time.Now().Add(30 * time.Millisecond)
	set(t, a, first)
	hear(t, a)
	if time.Now().Before(first) {
		t.Error("it rang early")
	}
	for never := false; !never; { // unless this machine stood still between the two
		a = start(t)
		at := time.Now().Add(50 * time.Millisecond)
		set(t, a, at)
		set(t, a, time.Time{})
		never = time.Now().Before(at)
	}
	select {
	case <-a.C():
		t.Error("it rang although it was set to never")
	case <-time.After(200 * time.Millisecond):
	}
}

func TestSetAfterClose(t *testing.T) {
	a, err := alarm.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a.Run() // ends at once
	if err := a.Set(time.Now()); err == nil {
		t.Error("a closed timer was set")
	}
}
