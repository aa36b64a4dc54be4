package bolt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/manager/store"
	"cassini/manager/store/storetest"
	"cassini/model"
)

const (
	crashDir      = "CASSINI_TEST_CRASH_DIR"
	crashCompacts = "CASSINI_TEST_CRASH_COMPACTS" // set: the file is compacted all the time
)

// writeForever is the child: it appends from several goroutines, with retention
// and thinning at work, and prints what was acknowledged.
func writeForever(dir string) {
	s, err := Open(Config{Dir: dir, MaxAge: time.Millisecond})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var wg sync.WaitGroup
	if os.Getenv(crashCompacts) != "" {
		wg.Go(func() {
			for {
				if _, _, err := s.CompactOnline(context.Background()); err != nil && !errors.Is(err, ErrRestless) {
					fmt.Println("error", err)
					os.Exit(1)
				}
			}
		})
	}
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				kept := storetest.Doc("h", "p", fmt.Sprintf("%d-%d-%d", os.Getpid(), w, i), i)
				churn := storetest.Doc("h", "p", fmt.Sprint("churn", w), i)
				churn.Progress = i%3 > 0
				if _, err := s.Append(context.Background(), []model.Document{kept, churn}); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				fmt.Println(kept.Key)
			}
		})
	}
	wg.Wait()
}

func TestKilledWhileWriting(t *testing.T) { killedWhileWriting(t) }

// TestKilledWhileCompactingOnline kills at any moment of a compaction under way.
func TestKilledWhileCompactingOnline(t *testing.T) {
	killedWhileWriting(t, crashCompacts+"=1")
}

func killedWhileWriting(t *testing.T, env ...string) {
	dir := t.TempDir()
	acknowledged := make(map[string]bool)
	for round := range 15 {
		killOne(t, dir, 50+round*40, acknowledged, env...)
		verify(t, filepath.Join(dir, FileName))
		s, err := Open(Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		there := make(map[string]bool)
		for e, err := range s.Latest(t.Context(), store.Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			there[e.Document.Key] = true
		}
		for key := range acknowledged {
			if !there[key] {
				t.Fatalf("round %d: %s was acknowledged and is lost", round, key)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d documents acknowledged before the kills, all there", len(acknowledged))
}

// killOne runs a child and kills it once it has acknowledged n documents.
func killOne(t *testing.T, dir string, n int, acknowledged map[string]bool, env ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), crashDir+"="+dir), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for i := 0; ; i++ {
		line, err := lines.ReadString('\n') // a line cut short by the kill is no acknowledgement
		if err != nil {
			break
		}
		if strings.HasPrefix(line, "error") {
			t.Errorf("child: %s", line)
		}
		acknowledged[strings.TrimSpace(line)] = true
		if i == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	_ = cmd.Wait() // killed
}
