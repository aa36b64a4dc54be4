package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

func TestLists(t *testing.T) {
	known := []string{"store", "join"}
	for _, c := range []struct {
		list string
		want []string
		ok   bool
	}{{"join", []string{"join"}, true}, {"join,store", []string{"join", "store"}, true}, {"", nil, true}, {"join,", nil, false}, {"other", nil, false}} {
		if got, err := Choice("parts", c.list, known); !slices.Equal(got, c.want) || (err == nil) != c.ok {
			t.Errorf("%q: %q, %v", c.list, got, err)
		}
	}
	for _, c := range []struct {
		list string
		want []int
		ok   bool
	}{{"100", []int{100}, true}, {"1000,100", []int{1000, 100}, true}, {"99", nil, false}, {"", nil, false}, {"100,x", nil, false}} {
		if got, err := Counts("hosts", c.list, 100); !slices.Equal(got, c.want) || (err == nil) != c.ok {
			t.Errorf("%q: %v, %v", c.list, got, err)
		}
	}
}

func TestRunsChosenParts(t *testing.T) {
	broken := errors.New("broken")
	part := func(name string, err error) Part[int] {
		return Part[int]{name, func(_ context.Context, n int, out io.Writer) error {
			fmt.Fprintf(out, "%s%d ", name, n)
			return err
		}}
	}
	parts := []Part[int]{part("a", nil), part("b", nil), part("c", broken), part("d", nil)}
	if names := Names(parts); !slices.Equal(names, []string{"a", "b", "c", "d"}) {
		t.Errorf("names %q", names)
	}
	var out bytes.Buffer
	if err := Run(t.Context(), 7, parts, []string{"d", "a", "c"}, &out); !errors.Is(err, broken) || out.String() != "a7 c7 " {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestProcess(t *testing.T) {
	self := os.Getpid()
	begin, err := CPU(self)
	if err != nil {
		t.Fatal(err)
	}
	for now := begin; now-begin < 10*time.Millisecond; {
		if now, err = CPU(self); err != nil {
			t.Fatal(err)
		}
	}
	if use, err := Memory(self); use.Own < 1<<20 || use.Resident < use.Own || use.Most < use.Resident || err != nil {
		t.Errorf("%+v, %v", use, err)
	}
	child := exec.Command("sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if Ended(self) {
		t.Error("this process has ended")
	}
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	if spent, err := Children(self); spent <= 0 || err != nil {
		t.Errorf("children took %v, %v", spent, err)
	}
	gone := child.Process.Pid
	if _, err := CPU(gone); err == nil || !Ended(gone) {
		t.Errorf("a process that is gone: %v", err)
	}
	if _, err := Memory(gone); err == nil {
		t.Error("it has memory")
	}
	if _, err := Children(gone); err == nil {
		t.Error("it has children")
	}
}
