package trim

import (
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Memory is given back once, when much was delivered and little is delivered any more.
func TestTrimmer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun, trims atomic.Int64
		r := New(func() { begun.Add(1) }, func() { trims.Add(1) })
		wait := func(d time.Duration, want int64) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := trims.Load(); got != want {
				t.Fatalf("%d times, want %d", got, want)
			}
		}
		r.Done(enough - 1)
		wait(time.Hour, 0)
		r.Done(1)
		r.Done(few + 1)
		wait(quiet+1, 0)
		r.Done(few) // a busy host is never without any
		wait(quiet-2, 0)
		wait(2, 1)
		wait(time.Hour, 1)
		r.Done(enough - 1)
		wait(time.Hour, 1)
		r.Done(enough)
		wait(time.Hour, 2)
		r.Done(enough)
		for range patience - 1 { // it never rests
			r.Done(few + 1)
			wait(quiet, 2)
		}
		r.Done(few + 1)
		wait(quiet, 3)
		r.Done(enough)
		if begun.Load() != 4 {
			t.Errorf("begun %d times, want once each time", begun.Load())
		}
		r.Stop()
		r.Done(enough)
		wait(time.Hour, 3)
	})
}

// At rest there is room for a little garbage, whatever is in use.
func TestRestLeavesLittleRoom(t *testing.T) {
	for live, want := range map[uint64]int{0: whileBusy, 1 << 20: whileBusy, 32 << 20: 25, 80 << 20: leastRest, 1 << 40: leastRest} {
		if got := percent(live); got != want {
			t.Errorf("%d bytes in use: %d percent, want %d", live, got, want)
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	Busy()
	Rest()
	if got := debug.SetGCPercent(100); got < leastRest || got > whileBusy {
		t.Errorf("%d percent at rest", got)
	}
}

const some = `00400000-02a1b000 r-xp 00000000 fd:00 1234                       /usr/bin/some program
Size:              39020 kB
Rss:               20000 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me sd
02a1b000-04000000 r--p 0261b000 fd:00 1234                       /usr/bin/some program
Anonymous:             4 kB
04000000-04100000 rw-p 03c00000 fd:00 1234                       /usr/bin/some program
Anonymous:             0 kB
04100000-04200000 r--p 03c00000 fd:00 1235                       /usr/bin/other
Anonymous:             0 kB
c000000000-c000800000 rw-p 00000000 00:00 0                      [anon: Go: heap]
Anonymous:             0 kB
7ffd00000000-7ffd00021000 r--p 00000000 00:00 0
Anonymous:             0 kB
`

// What was written to, or could be, is not let go of: it is nowhere else.
func TestCleanAreas(t *testing.T) {
	got, err := cleanAreas(strings.NewReader(some), "/usr/bin/some program")
	if err != nil || len(got) != 1 || got[0] != (area{0x400000, 0x2a1b000}) {
		t.Errorf("%x, %v", got, err)
	}
	if _, err := cleanAreas(strings.NewReader("x-y r--p 0 0 0 /a\n"), "/a"); err == nil {
		t.Error("an address that is none was taken")
	}
}

func FuzzCleanAreas(f *testing.F) {
	f.Add(some)
	f.Add("x-y r--p\n")
	f.Add("1-2 r-")
	f.Fuzz(func(t *testing.T, text string) {
		if areas, err := cleanAreas(strings.NewReader(text), "/usr/bin/some program"); err != nil && areas != nil {
			t.Error("areas beside an error")
		}
	})
}

// The program goes on: what it needs is mapped again.
func TestForgetProgram(t *testing.T) {
	if err := forgetProgram(); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if areas, err := cleanAreas(file, self); err != nil || len(areas) == 0 {
		t.Errorf("%v, %v: no part of this program was found", areas, err)
	}
	Now()
}
