package outbox

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDamagedSpool opens files of which something is broken: an error says what to do, at once.
func TestDamagedSpool(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	away := &sink{away: true}
	box := open(t, away, path, 0)
	stop := running(t, box)
	box.Put(numbered(t, 0, 300)...)
	stop()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	long := bytes.Clone(raw)
	for at := 0; at < len(long); at += page {
		if long[at+8] == 0x10 { // a list of free pages
			copy(long[at+12:], "\xff\xff\xff\xff")
		}
	}
	bad := map[string][]byte{"whole": raw, "garbage": bytes.Repeat([]byte("?"), len(raw)), "a few bytes": raw[:100], "cut short": raw[:3*page], "a list of free pages that is four billion pages long": long}
	for seed := range uint64(60) {
		random, one := rand.New(rand.NewPCG(seed, 1)), bytes.Clone(raw)
		for range 1 + random.IntN(4) {
			one[page*(2+random.IntN(len(one)/page-2))+random.IntN(32)] = byte(random.Uint32())
		}
		bad[fmt.Sprint("seed ", seed)] = one
	}
	for what, content := range bad {
		path := filepath.Join(t.TempDir(), "outbox.db")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, _, err := openSpool(path, time.Now())
		if err == nil {
			err = s.db.Close()
			if what != "whole" && !strings.HasPrefix(what, "seed ") { // which may have hit what is not used
				t.Errorf("%s: it was opened", what)
			}
		} else if what == "whole" || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("%s: got %v", what, err)
		}
		if err != nil && what == "whole" {
			t.Error(err)
		}
	}
}
