package backup

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cassini/manager/archive"
	"cassini/manager/enroll"
	"cassini/manager/store"
	"cassini/manager/store/bolt"
	"cassini/manager/store/storetest"
	"cassini/model"
)

// killDir names the directory into which a child restores until it is killed, killFile
// the backup.
const killDir, killFile = "CASSINI_TEST_KILL_DIR", "CASSINI_TEST_KILL_FILE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		restoreForever(dir, os.Getenv(killFile))
	}
	goleak.VerifyTestMain(m)
}

func restoreForever(dir, file string) {
	raw, err := os.ReadFile(file)
	for i := 0; err == nil; i++ {
		fmt.Println("round")
		_, err = Restore(bytes.NewReader(raw), dir, true, now.Add(time.Duration(i)*time.Second))
	}
	fmt.Println("error", err)
	os.Exit(1)
}

// TestKilledWhileRestoring kills at any moment: after the next start there is one of the
// two logs, whole.
func TestKilledWhileRestoring(t *testing.T) {
	file := filepath.Join(t.TempDir(), "b.tar.gz")
	if err := os.WriteFile(file, taken(t, filled(t, "new")), 0o600); err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for round := range 12 {
		dir := filled(t, "old")
		storetest.Kill(t, time.Duration(round)*2*time.Millisecond, killDir+"="+dir, killFile+"="+file)
		if err := Finish(dir); err != nil {
			t.Fatal(err)
		}
		if report, err := bolt.Check(filepath.Join(dir, bolt.FileName)); err != nil || len(report.Problems) > 0 {
			t.Fatalf("%+v, %v", report, err)
		}
		found[texts(t, dir)]++
	}
	if found["old"]+found["new"] != 12 {
		t.Errorf("logs %v", found)
	}
	t.Logf("logs after kills: %v", found)
}

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// filled is a directory whose log has a document with a text.
func filled(t testing.TB, text string) string {
	t.Helper()
	dir := t.TempDir()
	s, err := bolt.Open(bolt.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), []model.Document{storetest.Doc("h", "p", text, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := enroll.Open(enroll.Config{Dir: dir, Host: "manager"}, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func taken(t testing.TB, dir string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Offline(&out, dir, archive.Manifest{Host: "manager", Time: now}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// texts are those of the log of a directory that nobody uses.
func texts(t testing.TB, dir string) string {
	t.Helper()
	s, err := bolt.Open(bolt.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for e, err := range s.Latest(t.Context(), store.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Document.Key)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// TestNothingChangesBeforeAllIsVerified restores what is damaged or cut anywhere.
func TestNothingChangesBeforeAllIsVerified(t *testing.T) {
	good := taken(t, filled(t, "new"))
	dir := filled(t, "old")
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 60 {
		raw := bytes.Clone(good)
		if rnd.IntN(2) == 0 {
			raw = raw[:rnd.IntN(len(raw))]
		} else {
			raw[10+rnd.IntN(len(raw)-10)] ^= 1
		}
		if bytes.Equal(unzipped(raw), unzipped(good)) {
			continue // gzip has bits that mean nothing
		}
		if _, err := Restore(bytes.NewReader(raw), dir, true, now); err == nil {
			t.Fatal("a damaged backup was put back")
		}
	}
	if _, err := os.Stat(filepath.Join(dir, staging)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left: %v", err)
	}
	if got := texts(t, dir); got != "old" {
		t.Errorf("the log is %q", got)
	}
}

// unzipped is what is compressed, nil where that cannot be read.
func unzipped(raw []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil
	}
	all, err := io.ReadAll(z)
	if err != nil {
		return nil
	}
	return all
}

// TestSoundArchiveOfDamagedFiles refuses a backup whose sums fit what is wrong.
func TestSoundArchiveOfDamagedFiles(t *testing.T) {
	for name, change := range map[string]func(dir string) error{
		"a log cut short": func(dir string) error { return os.Truncate(filepath.Join(dir, bolt.FileName), 20_000) },
		"an alien authority": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, enroll.StateFile), []byte("noise"), 0o600)
		},
	} {
		dir := filled(t, "new")
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		var sources []archive.Source
		for _, file := range []string{enroll.StateFile, bolt.FileName} {
			sources = append(sources, func() (archive.Part, error) { p, _, err := archive.Small(dir, file); return p, err })
		}
		var out bytes.Buffer
		if err := archive.Write(&out, archive.Manifest{Time: now}, sources); err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(&out, t.TempDir(), false, now); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var out bytes.Buffer
	if err := archive.Write(&out, archive.Manifest{Time: now}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(&out, t.TempDir(), false, now); !errors.Is(err, archive.ErrFormat) {
		t.Errorf("without a log: %v", err)
	}
	part := archive.Part{Name: "agent.pem", Write: func(io.Writer) error { return nil }, Close: func() error { return nil }}
	if err := archive.Write(&out, archive.Manifest{Time: now}, []archive.Source{func() (archive.Part, error) { return part, nil }}); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(&out, t.TempDir(), false, now); !errors.Is(err, archive.ErrFormat) {
		t.Errorf("with a file that is not ours: %v", err)
	}
}

// TestCrashAnywhere stops a restore at each of its renames, and lets the next start finish.
func TestCrashAnywhere(t *testing.T) {
	raw := taken(t, filled(t, "new"))
	crash := errors.New("power failed")
	for stop := range 20 {
		dir := filled(t, "old")
		if err := os.WriteFile(filepath.Join(dir, "rings.db"), []byte("of before, and not in the backup"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, enroll.CAFile)); err != nil { // in the backup, and not before
			t.Fatal(err)
		}
		stage := filepath.Join(dir, staging)
		if err := os.Mkdir(stage, 0o700); err != nil {
			t.Fatal(err)
		}
		m, _, err := fill(bytes.NewReader(raw), stage, now)
		if err != nil {
			t.Fatal(err)
		}
		p := plan{Aside: filepath.Base(aside(dir, now)), Files: m.Files}
		if err := decide(stage, p); err != nil {
			t.Fatal(err)
		}
		left := stop
		err = p.finish(dir, func(from, to string) error {
			if left--; left < 0 {
				return crash
			}
			return os.Rename(from, to)
		})
		if err != nil && !errors.Is(err, crash) {
			t.Fatal(err)
		}
		if err := Finish(dir); err != nil {
			t.Fatal(err)
		}
		if got := texts(t, dir); got != "new" {
			t.Fatalf("stopped after %d renames: the log is %q", stop, got)
		}
		want := slices.Sorted(slices.Values(m.Files))
		if got := slices.Sorted(slices.Values(occupied(dir))); !slices.Equal(got, want) {
			t.Errorf("stopped after %d renames: files are %v, want %v", stop, got, want)
		}
		if got := texts(t, filepath.Join(dir, p.Aside)); got != "old" {
			t.Errorf("stopped after %d renames: what was is %q", stop, got)
		}
		if _, err := os.Stat(stage); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("stopped after %d renames: something is left", stop)
		}
	}
}

// TestOwner leaves files to the user whose directory it is: root restores, a manager that
// is not root opens.
func TestOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: only root gives files away. Run this test as root.")
	}
	raw := taken(t, filled(t, "new"))
	dir := t.TempDir()
	const uid, gid = 4711, 4712
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(bytes.NewReader(raw), dir, false, now); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(occupied(dir), "documents.lock") {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid != uid || st.Gid != gid {
			t.Errorf("%s is of %+v", name, info.Sys())
		}
	}
}

// TestRestoreThatWasNotVerified is forgotten by the next start.
func TestRestoreThatWasNotVerified(t *testing.T) {
	dir := filled(t, "old")
	stage := filepath.Join(dir, staging)
	if err := os.Mkdir(stage, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(stage, bolt.FileName), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Finish(dir); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, dir); got != "old" {
		t.Errorf("the log is %q", got)
	}
}

func TestNothingToBackUp(t *testing.T) {
	if err := Offline(io.Discard, t.TempDir(), archive.Manifest{}); !errors.Is(err, ErrNothing) {
		t.Errorf("got %v", err)
	}
	dir := filled(t, "x")
	for left := range 30 {
		if err := Offline(&full{left * 100}, dir, archive.Manifest{Time: now}); !errors.Is(err, errFull) && left < 3 {
			t.Errorf("with room for %d bytes: %v", left*100, err)
		}
	}
	if got := texts(t, dir); got != "x" { // no lock and no snapshot is left
		t.Error(got)
	}
}

// full is a disk.
type full struct{ left int }

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.left {
		return 0, errFull
	}
	f.left -= len(p)
	return len(p), nil
}
