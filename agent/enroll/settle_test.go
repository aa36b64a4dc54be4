package enroll

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cassini/model"
)

var (
	errAnother = errors.New("another machine")
	errOlder   = errors.New("an older manager")
	errShutOut = errors.New("revoked")
	errAway    = errors.New("connection refused")
	errWait    = &model.BusyError{After: 2 * time.Second, Err: errors.New("come again")}
)

func boxOf(id, dmi, boot string, macs ...string) model.Machine {
	return model.Machine{MachineID: id, DMI: dmi, BootID: boot, MACs: macs}
}

// TestSettle starts an agent on a machine, after it was settled on another or the same one.
func TestSettle(t *testing.T) {
	const mac1, mac2 = "02:00:00:00:00:01", "02:00:00:00:00:02"
	first := boxOf("a", "d1", "b1", mac1)
	for name, tc := range map[string]struct {
		on      model.Machine
		answers []error // of the manager, the last one again and again
		want    Settled
		err     error
		asked   int // at least, and none where it is 0
		kept    bool
	}{
		"its agent is started again":           {first, nil, Settled{Host: "web-1"}, nil, 0, true},
		"it was booted":                        {boxOf("a", "d1", "b2", mac1), nil, Settled{Host: "web-1"}, nil, 0, true},
		"it was installed anew":                {boxOf("b", "d1", "b2", mac1), nil, Settled{Host: "web-1"}, nil, 0, true},
		"a snapshot was restored":              {boxOf("a", "d1", "b0", mac1), nil, Settled{Host: "web-1"}, nil, 0, true},
		"a card was changed":                   {boxOf("a", "d1", "b2", mac2), []error{errWait, nil}, Settled{Host: "web-1"}, nil, 2, true},
		"and the manager is away":              {boxOf("a", "d1", "b2", mac2), []error{errAway}, Settled{Host: "web-1", Doubted: true}, nil, 3, false},
		"and the manager does not say":         {boxOf("a", "d1", "b2", mac2), []error{errWait}, Settled{Host: "web-1", Doubted: true}, nil, 5, false},
		"and the manager is older":             {boxOf("a", "d1", "b2", mac2), []error{errOlder}, Settled{Host: "web-1", Doubted: true}, nil, 1, false},
		"and it was revoked":                   {boxOf("a", "d1", "b2", mac2), []error{errShutOut}, Settled{Host: "web-1", Doubted: true}, nil, 1, false},
		"a clone":                              {boxOf("a", "d2", "b2", mac2), []error{errAnother}, Settled{Host: "web-1~2", CopyOf: "web-1"}, nil, 1, true},
		"a clone, and the manager comes later": {boxOf("a", "d2", "b2", mac2), []error{errAway, errAway, errWait, errAnother}, Settled{Host: "web-1~2", CopyOf: "web-1"}, nil, 4, true},
		"a clone, the manager knows better":    {boxOf("a", "d2", "b2", mac2), []error{nil}, Settled{Host: "web-1"}, nil, 1, true},
		"a clone, and an older manager":        {boxOf("a", "d2", "b2", mac2), []error{errOlder}, Settled{}, ErrCopy, 1, false},
		"a clone of a revoked host":            {boxOf("a", "d2", "b2", mac2), []error{errShutOut}, Settled{}, ErrCopy, 1, false},
		"a clone that cannot be told":          {boxOf("a", "d1", "b2", mac2), []error{errWait, errAnother}, Settled{Host: "web-1~2", CopyOf: "web-1"}, nil, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				settle := func(on model.Machine, ask func(context.Context) error) (Settled, error) {
					return Settle(t.Context(), Settling{
						Dir: dir, Host: "web-1", Machine: on, Ask: ask, Another: errAnother, Older: errOlder, ShutOut: errShutOut, Logger: slog.New(slog.DiscardHandler),
						Anew: func(context.Context) (string, error) { return "web-1~2", nil },
					})
				}
				if got, err := settle(first, func(context.Context) error { return nil }); err != nil || got != (Settled{Host: "web-1"}) {
					t.Fatalf("first %+v, %v", got, err)
				}
				before, _ := os.ReadFile(filepath.Join(dir, machineFile))
				asked := 0
				got, err := settle(tc.on, func(context.Context) error {
					asked++
					return tc.answers[min(asked, len(tc.answers))-1]
				})
				if got != tc.want || !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
					t.Errorf("got %+v, %v; want %+v, %v", got, err, tc.want, tc.err)
				}
				if asked < tc.asked || tc.asked == 0 && asked > 0 {
					t.Errorf("asked %d times, want %d", asked, tc.asked)
				}
				after, _ := os.ReadFile(filepath.Join(dir, machineFile))
				if tc.kept != (strings.Contains(string(after), `"boot_id":"`+tc.on.BootID+`"`) && strings.Contains(string(after), `"host":"`+got.Host+`"`)) || !tc.kept && string(after) != string(before) {
					t.Errorf("it is kept as %s", after)
				}
			})
		})
	}
}

// TestSettleFirst is of data directories of older agents, of names that changed and of damage:
// the manager is asked, and only it can tell a copy.
func TestSettleFirst(t *testing.T) {
	for name, tc := range map[string]struct {
		kept   string
		answer error
		want   Settled
	}{
		"an older agent's":              {"", nil, Settled{Host: "web-1"}},
		"an older agent's, and a copy":  {"", errAnother, Settled{Host: "web-1~2", CopyOf: "web-1"}},
		"joined by another name since":  {`{"host":"web-9","machine":{"dmi_uuid":"d1"},"copy_of":"web-8"}`, nil, Settled{Host: "web-1"}},
		"damaged":                       {`{`, nil, Settled{Host: "web-1"}},
		"of an older manager":           {"", errOlder, Settled{Host: "web-1"}},
		"a copy that has its name long": {`{"host":"web-1","machine":{"dmi_uuid":"d2"},"copy_of":"web-0"}`, errAway, Settled{Host: "web-1", CopyOf: "web-0"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if tc.kept != "" {
				if err := os.WriteFile(filepath.Join(dir, machineFile), []byte(tc.kept), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var log bytes.Buffer
			got, err := Settle(t.Context(), Settling{
				Dir: dir, Host: "web-1", Machine: boxOf("a", "d2", "b2"), Another: errAnother, Older: errOlder, ShutOut: errShutOut, Logger: slog.New(slog.NewTextHandler(&log, nil)),
				Ask:  func(context.Context) error { return tc.answer },
				Anew: func(context.Context) (string, error) { return "web-1~2", nil },
			})
			if got != tc.want || err != nil {
				t.Errorf("got %+v, %v; want %+v\n%s", got, err, tc.want, log.String())
			}
			if err := Doubt(dir); err != nil || Doubt(dir) != nil {
				t.Error(err)
			}
		})
	}
}

// TestSettleOutside: where the manager gives no names, a clone waits until it has a certificate of
// its own, and says nothing before.
func TestSettleOutside(t *testing.T) {
	for name, tc := range map[string]struct {
		answers []error // of the manager, the last one again and again
		want    Settled
		err     error
		after   time.Duration
	}{
		"it gets one after an hour":       {slices.Concat(slices.Repeat([]error{errAnother}, 240), []error{errAway, errWait, nil}), Settled{Host: "web-1"}, nil, time.Hour},
		"what it has is not let in":       {[]error{errAnother, errShutOut}, Settled{}, ErrCopy, askAlways},
		"nobody does anything for a week": {[]error{errAnother}, Settled{}, context.DeadlineExceeded, 7 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := keepMachine(dir, housed{Host: "web-1", Machine: boxOf("a", "d1", "b1")}); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 7*24*time.Hour)
				defer cancel()
				asked, begin := 0, time.Now()
				got, err := Settle(ctx, Settling{
					Dir: dir, Host: "web-1", Machine: boxOf("a", "d2", "b2"), Another: errAnother, Older: errOlder, ShutOut: errShutOut, Logger: slog.New(slog.DiscardHandler),
					Ask: func(context.Context) error {
						asked++
						return tc.answers[min(asked, len(tc.answers))-1]
					},
				})
				if got != tc.want || !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
					t.Errorf("got %+v, %v; want %+v, %v", got, err, tc.want, tc.err)
				}
				if took := time.Since(begin); took < tc.after || took > tc.after+time.Minute {
					t.Errorf("after %v, want %v", took, tc.after)
				}
			})
		})
	}
}

// TestSettleEnds: a copy waits for the manager until it is told to end.
func TestSettleEnds(t *testing.T) {
	dir := t.TempDir()
	if err := keepMachine(dir, housed{Host: "web-1", Machine: boxOf("a", "d1", "b1")}); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		_, err := Settle(ctx, Settling{
			Dir: dir, Host: "web-1", Machine: boxOf("a", "d2", "b2"), Another: errAnother, Older: errOlder, ShutOut: errShutOut, Logger: slog.New(slog.DiscardHandler),
			Ask: func(context.Context) error { return errAway },
		})
		if !errors.Is(err, ErrCopy) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errAway) {
			t.Errorf("got %v", err)
		}
	})
}

// TestCalledAnew: a copy asks again what it is called, and is not called what the copy says.
func TestCalledAnew(t *testing.T) {
	dir := t.TempDir()
	host := "web-1"
	r := CallRequest{Dir: dir, Manager: "http://192.0.2.1:1984", Name: "web-1", Final: errFinal, Ask: func(context.Context) (string, error) { return host, nil }}
	if got, err := Called(t.Context(), r); err != nil || got != "web-1" {
		t.Fatalf("%q, %v", got, err)
	}
	if got, err := CalledAnew(t.Context(), r, "web-1"); !errors.Is(err, ErrInvalid) {
		t.Errorf("called the same: %q, %v", got, err)
	}
	host = "web-1~2"
	for range 2 {
		if got, err := CalledAnew(t.Context(), r, "web-1"); err != nil || got != host {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// TestAnew: a copy gets a key and a certificate of its own, which take the copy's place.
func TestAnew(t *testing.T) {
	f := newFake(t, time.Hour)
	dir := t.TempDir()
	before, err := f.join(dir)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(dir, "web-17", f.url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	on := boxOf("a", "d2", "b2")
	if host, err := m.Anew(t.Context(), on); !errors.Is(err, ErrInvalid) {
		t.Errorf("a certificate for the same host: %s, %v", host, err)
	}
	f.mu.Lock()
	f.called = "web-17~2"
	f.mu.Unlock()
	host, err := m.Anew(t.Context(), on)
	if err != nil || host != "web-17~2" {
		t.Fatalf("%s, %v", host, err)
	}
	after, err := Load(dir)
	if err != nil || after.Host != host || after.Name != "web-17" || after.Cert.Leaf.PublicKeyAlgorithm != before.Cert.Leaf.PublicKeyAlgorithm || bytes.Equal(after.Cert.Leaf.RawSubjectPublicKeyInfo, before.Cert.Leaf.RawSubjectPublicKeyInfo) {
		t.Errorf("%+v, %v", after, err)
	}
	if last := f.bodies[len(f.bodies)-1]; last != "/api/v1/enroll/machine" || !f.machines[len(f.machines)-1].Equal(on) {
		t.Errorf("asked %s of %+v", last, f.machines)
	}
	if _, err := os.Stat(filepath.Join(dir, copyFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the pending key is left: %v", err)
	}
}
