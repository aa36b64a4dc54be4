package heartbeat

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"cassini/model"
)

func opened(t *testing.T, dir string) *keeper {
	t.Helper()
	k, err := openKeeper(dir, "h1", false)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestStateIsKept(t *testing.T) {
	dir := t.TempDir()
	want := state{
		Host: "h1", Incarnation: 7, Nonces: 1 << 40, Sequence: 3,
		Joined:      &model.Joined{Incarnation: 7, Ring: "manager/h1", Keys: model.KeySet{Current: 1, Keys: []model.RingKey{{ID: 1, Secret: model.Secret{9}}}}},
		Assignments: []*model.Assignment{{Ring: "z1", Epoch: 5, Profile: model.StandardProfile()}, {Ring: "z2", Epoch: 6, Gone: true}},
	}
	k := opened(t, dir)
	if got := k.read(); !reflect.DeepEqual(got, state{Host: "h1"}) {
		t.Errorf("a first life has %+v", got)
	}
	if err := k.change(func(s *state) { *s = want }); err != nil {
		t.Fatal(err)
	}
	if got := opened(t, dir).read(); !reflect.DeepEqual(got, want) {
		t.Errorf("kept %+v, want %+v", got, want)
	}
	if err := k.change(func(s *state) { s.Host = "" }); err != nil { // as an older version has it
		t.Fatal(err)
	}
	if got := opened(t, dir).read(); !reflect.DeepEqual(got, want) {
		t.Errorf("kept of an older version %+v, want %+v", got, want)
	}
	if other, err := openKeeper(dir, "h1~2", false); err != nil || !reflect.DeepEqual(other.read(), state{Host: "h1~2", Incarnation: 7, Nonces: 1 << 40, Sequence: 3}) {
		t.Errorf("under another name %+v, %v", other.read(), err)
	}
	if got := names(t, dir); len(got) != 1 || got[0] != "rings.json" {
		t.Errorf("there are %v", got)
	}
}

// TestStateIsForItsOwner: it holds keys.
func TestStateIsForItsOwner(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rings.json")
	if err := os.WriteFile(path+".new", []byte("of a crash"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := opened(t, dir).change(func(s *state) { s.Incarnation = 1 }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestDamagedStateIsPutAside(t *testing.T) {
	for _, bad := range []string{"", "{", `{"incarnation":"seven"}`, `{"nonces":5,"incarnation":"seven"}`, `[]`, `{"incarnation":7}trailing`} {
		dir := t.TempDir()
		path := filepath.Join(dir, "rings.json")
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := openKeeper(dir, "web-17", false)
		if !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), path+".damaged") {
			t.Fatalf("%q: %v", bad, err)
		}
		if got := k.read(); !reflect.DeepEqual(got, state{Host: "web-17"}) {
			t.Errorf("%q: begins with %+v", bad, got)
		}
		if raw, err := os.ReadFile(path + ".damaged"); err != nil || string(raw) != bad {
			t.Errorf("%q: kept is %q, %v", bad, raw, err)
		}
		if err := k.change(func(s *state) { s.Incarnation = 1 }); err != nil {
			t.Error(err)
		}
		if got := opened(t, dir).read().Incarnation; got != 1 {
			t.Errorf("%q: afterwards the life is %d", bad, got)
		}
	}
}

func TestStateThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "rings.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := openKeeper(dir, "web-17", false); err == nil || errors.Is(err, errDamaged) || !strings.Contains(err.Error(), "read the state of rings") {
		t.Errorf("got %v", err)
	}
}

// TestStateThatCannotBeWritten: the error says what and where, and the old state stays.
func TestStateThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rings.json")
	k := opened(t, dir)
	if err := k.change(func(s *state) { s.Incarnation = 1 }); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(path+".new/in-the-way", 0o700); err != nil {
		t.Fatal(err)
	}
	err := k.change(func(s *state) { s.Incarnation = 2 })
	if err == nil || !strings.Contains(err.Error(), "keep the state of rings") || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	if got := opened(t, dir).read().Incarnation; got != 1 {
		t.Errorf("the life on disk is %d", got)
	}
	missing, err := openKeeper(filepath.Join(dir, "missing"), "web-17", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := missing.change(func(*state) {}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "missing") {
		t.Errorf("without a directory: %v", err)
	}
}

// TestFailedWriteLeavesNothing: on a full disk the room is needed.
func TestFailedWriteLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "rings.json", "in-the-way"), 0o700); err != nil {
		t.Fatal(err)
	}
	k := &keeper{path: filepath.Join(dir, "rings.json")}
	if err := k.change(func(*state) {}); err == nil {
		t.Error("a directory was replaced")
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("there are %v", got)
	}
}

// TestStateIsReplacedAtOnce: whoever reads at any moment reads a whole one.
func TestStateIsReplacedAtOnce(t *testing.T) {
	dir := t.TempDir()
	k := opened(t, dir)
	padding := strings.Repeat("x", 64<<10)
	next := func(n uint64) {
		err := k.change(func(s *state) {
			s.Sequence, s.Joined = n, &model.Joined{Ring: model.RingID(fmt.Sprint(n, padding))}
		})
		if err != nil {
			t.Error(err)
		}
	}
	next(1)
	done := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		last := uint64(0)
		for {
			select {
			case <-done:
				return
			default:
			}
			raw, err := os.ReadFile(k.path)
			var s state
			if err != nil || json.Unmarshal(raw, &s) != nil || s.Sequence < last || s.Joined.Ring != model.RingID(fmt.Sprint(s.Sequence, padding)) {
				t.Errorf("%d bytes after %d, %v", len(raw), last, err)
				return
			}
			last = s.Sequence
		}
	})
	for n := uint64(2); n < 80; n++ {
		next(n)
	}
	close(done)
	reader.Wait()
}

// TestDoubted: what may be another machine's is not gone on from, but for counts.
func TestDoubted(t *testing.T) {
	dir := t.TempDir()
	had := state{Host: "h1", Incarnation: 7, Nonces: 1 << 40, Sequence: 3, Joined: &model.Joined{Ring: model.ManagerRing("h1")}, Assignments: []*model.Assignment{{Ring: "top"}}}
	if err := opened(t, dir).change(func(s *state) { *s = had }); err != nil {
		t.Fatal(err)
	}
	k, err := openKeeper(dir, "h1", true)
	if want := (state{Host: "h1", Incarnation: 7, Nonces: 1 << 40, Sequence: 3}); err != nil || !reflect.DeepEqual(k.read(), want) {
		t.Errorf("got %+v, %v", k.read(), err)
	}
	if s := opened(t, dir).read(); s.Joined == nil || len(s.Assignments) != 1 {
		t.Errorf("without doubt it has %+v", s)
	}
}
