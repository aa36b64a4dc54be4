package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"cassini/manager/store"
	"cassini/manager/store/storetest"
	"cassini/model"
)

// careDir names the directory in which a child compacts and repairs until it is killed.
const careDir = "CASSINI_TEST_CARE_DIR"

func careForever(dir string) {
	path := filepath.Join(dir, FileName)
	for {
		fmt.Println("round")
		if _, _, err := Compact(path); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		_ = os.Remove(path + ".repaired")
		if _, err := Repair(path, path+".repaired"); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		if _, err := Replace(path, path+".repaired", "damaged", time.Now()); err != nil && !errors.Is(err, os.ErrExist) {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
}

// TestKilledWhileCompacting kills at any moment: the log is whole, with all that it had.
func TestKilledWhileCompacting(t *testing.T) {
	path := written(t)
	log, latest := content(t, path)
	for round := range 12 {
		storetest.Kill(t, time.Duration(round)*3*time.Millisecond, careDir+"="+filepath.Dir(path))
		log2, latest2 := content(t, path)
		if fmt.Sprint(log) != fmt.Sprint(log2) || fmt.Sprint(latest) != fmt.Sprint(latest2) {
			t.Fatalf("round %d: the content has changed", round)
		}
	}
}

// TestCareOnFullDisk has no room for a second file: the first one stays, and nothing else.
func TestCareOnFullDisk(t *testing.T) {
	dir := mount(t, "size=3m")
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = s.Append(t.Context(), []model.Document{big(fmt.Sprint(time.Now().UnixNano()))})
	}
	if !errors.Is(err, store.ErrFull) {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	log, _ := content(t, s.path)
	if _, _, err := Compact(s.path); !errors.Is(err, store.ErrFull) {
		t.Errorf("compact: %v", err)
	}
	if _, err := Repair(s.path, s.path+".repaired"); !errors.Is(err, store.ErrFull) {
		t.Errorf("repair: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 { // the log and its lock
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if log2, _ := content(t, s.path); fmt.Sprint(log) != fmt.Sprint(log2) {
		t.Error("the content has changed")
	}
}
