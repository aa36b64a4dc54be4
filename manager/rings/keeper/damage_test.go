package keeper

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"

	"cassini/model"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// written is a data directory with some hosts in its rings.
func written(t *testing.T, hosts int) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	l := live(t, dir)
	for n := range hosts {
		if _, err := l.Join(t.Context(), plain(n)); err != nil {
			t.Fatal(err)
		}
	}
	l.end()
	return dir, filepath.Join(dir, FileName)
}

// plain is the join of a host that hears nothing.
func plain(n int) model.Join {
	return model.Join{RingMember: model.RingMember{
		Host: fmt.Sprintf("h%d", n), Zone: fmt.Sprintf("z%d", n%3), Addr: netip.MustParseAddrPort("127.0.0.1:9"), Incarnation: 1,
	}}
}

// begin opens a keeper, and runs it if it can be opened.
func begin(dir string) error {
	k, err := New(config(dir, &docLog{}))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return k.Run(ctx)
}

func TestDamagedFile(t *testing.T) {
	for what, damage := range map[string]func(path string, raw []byte) error{
		"garbage": func(path string, raw []byte) error {
			return os.WriteFile(path, bytes.Repeat([]byte("?"), len(raw)), 0o600)
		},
		"cut short": func(path string, _ []byte) error { return os.Truncate(path, int64(5*os.Getpagesize())) },
		"a page":    func(path string, raw []byte) error { return os.WriteFile(path, raw[:100], 0o600) },
		"a value": func(path string, _ []byte) error {
			db, err := bolt.Open(path, 0o600, nil)
			if err != nil {
				return err
			}
			return errors.Join(db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketHosts).Put([]byte("h1"), []byte(`{"host":7}`)) }), db.Close())
		},
		"the counters": func(path string, _ []byte) error {
			db, err := bolt.Open(path, 0o600, nil)
			if err != nil {
				return err
			}
			return errors.Join(db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketCounters).Put(bucketCounters, []byte(`[]`)) }), db.Close())
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir, path := written(t, 5)
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(path, raw); err != nil {
				t.Fatal(err)
			}
			err = begin(dir)
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "move the file away") || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestRandomlyDamagedFile: whatever is in the file, the process does not end of it.
func TestRandomlyDamagedFile(t *testing.T) {
	_, path := written(t, 40)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for seed := range uint64(150) {
		random := rand.New(rand.NewPCG(seed, 3))
		bad := bytes.Clone(raw)
		for range 1 + random.IntN(64) {
			bad[2*os.Getpagesize()+random.IntN(len(bad)-2*os.Getpagesize())] = byte(random.Uint32())
		}
		found += damagedOnce(t, seed, bad)
	}
	if found == 0 {
		t.Error("no damage was found out")
	}
}

func damagedOnce(t *testing.T, seed uint64, bad []byte) (found int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := openDisk(path)
	if err == nil {
		_, err = d.load()
		err = errors.Join(err, d.Close())
	}
	if err == nil {
		return 0
	}
	if !strings.Contains(err.Error(), "; ") {
		t.Errorf("seed %d: %v does not say what to do", seed, err)
	}
	return 1
}

func TestFileOfAnother(t *testing.T) {
	dir := t.TempDir()
	l := live(t, dir)
	err := begin(dir)
	if err == nil || !strings.Contains(err.Error(), "another program has it open") {
		t.Errorf("got %v", err)
	}
	l.end()
	if info, err := os.Stat(filepath.Join(dir, FileName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file holds keys, and is %v (%v)", info.Mode(), err)
	}
}

func TestDirectoryThatIsNone(t *testing.T) {
	if err := begin(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "data directory") {
		t.Errorf("got %v", err)
	}
}

// liveUntilFull is the child of TestFullDisk: it takes hosts in until a write fails, and
// says what it answered.
func liveUntilFull(dir string) {
	signal.Ignore(unix.SIGXFSZ)
	log := &docLog{fails: 1 << 30}
	k, err := New(config(dir, log))
	if err != nil {
		panic(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 256 << 10, Max: 256 << 10}); err != nil {
		panic(err)
	}
	done := make(chan error, 1)
	go func() { done <- k.Run(context.Background()) }()
	for n := 0; ; n++ {
		joined, err := k.Join(context.Background(), plain(n))
		if err != nil {
			fmt.Println("refused", err)
			break
		}
		sayJoined(plain(n).Host, joined)
	}
	fmt.Println("ended", <-done)
}

// sayJoined tells the parent what was answered.
func sayJoined(host string, joined *model.Joined) {
	line := "joined " + host
	for _, a := range joined.Assignments {
		line += fmt.Sprintf(" %s=%d", a.Ring, a.Epoch)
	}
	fmt.Println(line)
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asFull+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	said := answered{hosts: make(map[string]bool), epochs: make(map[string]model.Epoch)}
	ended := ""
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		said.take(lines.Text())
		if rest, ok := strings.CutPrefix(lines.Text(), "ended "); ok {
			ended = rest
		}
	}
	if !strings.Contains(ended, FileName) || !strings.Contains(ended, "data directory is full") || len(said.hosts) < 3 {
		t.Fatalf("%d hosts were taken in; ended by %q: %s", len(said.hosts), ended, out)
	}
	last := onDisk(t, dir)
	said.check(t, last)
	consistent(t, last)
	if len(last.hosts) != len(said.hosts) {
		t.Errorf("%d hosts are on disk, %d were answered", len(last.hosts), len(said.hosts))
	}
}

// TestFailingWriteSendsNothing: what cannot be kept is not told to anybody.
func TestFailingWriteSendsNothing(t *testing.T) {
	log := &docLog{}
	k, err := New(Config{DataDir: t.TempDir(), Host: "boss", Listen: loopback, Keep: log.keep, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- k.Run(context.WithoutCancel(t.Context())) }()
	a, b := newAgent(t, "h1", "z1", 1), newAgent(t, "h2", "z1", 1)
	a.joins(k)
	await(t, "the place is acknowledged", func() bool {
		v, err := k.View(t.Context())
		return err == nil && settled(v)
	})
	if err := k.disk.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Join(t.Context(), b.join); !errors.Is(err, ErrClosed) {
		t.Errorf("the join is answered with %v", err)
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), FileName) {
		t.Errorf("Run ended with %v", err)
	}
	if told := a.places(); len(told) > 0 {
		t.Errorf("the neighbor was told %+v", told[0])
	}
	if docs := log.rings(); docs["z1"].Gone() || bytes.Contains(docs["z1"].Body, []byte("h2")) {
		t.Errorf("the log was told %s", docs["z1"].Body)
	}
}
