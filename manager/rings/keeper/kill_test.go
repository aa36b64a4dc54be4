package keeper

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/manager/rings"
	"cassini/model"
)

// liveUntilKilled is the child of TestKilled: hosts join, move and die in it, and it says
// what of that was answered.
func liveUntilKilled(dir string) {
	k, err := New(config(dir, &docLog{}))
	if err != nil {
		panic(err)
	}
	go func() { panic(k.Run(context.Background())) }()
	for worker := range 4 {
		go func() {
			for n := 0; ; n++ {
				bustle(k, worker)
			}
		}()
	}
	select {}
}

// bustle is one thing that happens to a host. Workers have hosts of their own.
func bustle(k *Keeper, worker int) {
	ctx := context.Background()
	host := plain(rand.IntN(25)*4 + worker)
	host.Zone = fmt.Sprintf("z%d", rand.IntN(4))
	host.Incarnation = model.Incarnation(time.Now().UnixNano())
	if rand.IntN(3) > 0 {
		joined, err := k.Join(ctx, host)
		if err != nil {
			panic(err)
		}
		sayJoined(host.Host, joined)
		return
	}
	v, err := k.View(ctx)
	if err != nil {
		panic(err)
	}
	known := v.host(host.Host)
	if known.State != string(rings.Up) {
		return
	}
	// Somebody of its zone says so: the manager need not look itself.
	reporter := v.Hosts[rand.IntN(len(v.Hosts))]
	if reporter.Zone != known.Zone || reporter.Host == known.Host {
		return
	}
	fmt.Println("accused", host.Host)
	k.Take([]model.Document{crashed(reporter.Host, rand.Uint64(), model.RingMember{Host: known.Host, Zone: known.Zone, Incarnation: known.Incarnation})})
	if v, err = k.View(ctx); err != nil {
		panic(err)
	}
	if v.host(host.Host).State == string(rings.Crashed) {
		fmt.Println("died", host.Host)
	}
}

// answered is what a child that was killed had said, until then.
type answered struct {
	hosts  map[string]bool // whether they are alive
	epochs map[string]model.Epoch
}

// take reads a line. Lines of one worker are in order, and so are those of one host.
func (s *answered) take(line string) {
	words := strings.Fields(line)
	switch {
	case len(words) < 2:
	case words[0] == "accused": // it may die at any time, if at all
		delete(s.hosts, words[1])
	case words[0] == "died":
		s.hosts[words[1]] = false
	case words[0] == "joined":
		s.hosts[words[1]] = true
		for _, word := range words[2:] {
			ring, text, _ := strings.Cut(word, "=")
			epoch, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				panic(err)
			}
			s.epochs[ring] = max(s.epochs[ring], model.Epoch(epoch))
		}
	}
}

// check holds it against the disk.
func (s *answered) check(t *testing.T, k kept) {
	t.Helper()
	known := make(map[string]*rings.Host)
	for _, h := range k.hosts {
		known[h.Host] = h
	}
	for host := range s.hosts {
		if known[host] == nil {
			t.Errorf("%s was answered, and is not on disk", host)
		}
	}
	for _, r := range k.rings {
		if told := s.epochs[string(r.ID)]; r.Epoch < told {
			t.Errorf("%s has epoch %d, and %d was told", r.ID, r.Epoch, told)
		}
	}
}

// unlike counts hosts that are not what was said of them last. Each worker may have got
// one further than it could say.
func (s *answered) unlike(k kept) (n int) {
	for _, h := range k.hosts {
		if alive, said := s.hosts[h.Host]; said && alive != (h.State == rings.Up) {
			n++
		}
	}
	return n
}

func TestKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	said := answered{hosts: make(map[string]bool)}
	before := make(map[model.RingID]model.Epoch)
	for round := range 20 {
		said.epochs = make(map[string]model.Epoch) // a ring may end, and begin anew
		lines := runAndKill(t, dir, time.Duration(50+rand.IntN(250))*time.Millisecond)
		for _, line := range lines {
			said.take(line)
		}
		last := onDisk(t, dir)
		said.check(t, last)
		consistent(t, last)
		if n := said.unlike(last); n > 4 {
			t.Errorf("%d hosts are not what was said", n)
		}
		for _, h := range last.hosts { // what it got to, and could not say
			said.hosts[h.Host] = h.State == rings.Up
		}
		now := make(map[model.RingID]model.Epoch)
		for _, r := range last.rings {
			if now[r.ID] = r.Epoch; r.Epoch < before[r.ID] {
				t.Errorf("the epoch of %s went from %d to %d", r.ID, before[r.ID], r.Epoch)
			}
		}
		before = now
		if t.Failed() {
			t.Fatalf("in round %d, after %d lines", round, len(lines))
		}
	}
	if len(said.hosts) < 20 || len(before) < 4 {
		t.Errorf("too little has happened: %d hosts, rings %v", len(said.hosts), before)
	}
}

// runAndKill lets a child live for a while. The answer is the lines that it said.
func runAndKill(t *testing.T, dir string, age time.Duration) (lines []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asVictim+"="+dir)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(out)
	var begun sync.Once
	for {
		line, err := in.ReadString('\n')
		if err != nil { // a line that is cut off was not said
			break
		}
		lines = append(lines, strings.TrimSpace(line))
		begun.Do(func() { time.AfterFunc(age, func() { _ = cmd.Process.Kill() }) })
	}
	_, _ = io.Copy(io.Discard, in)
	_ = cmd.Wait() // it was killed
	if complaints.Len() > 0 {
		t.Fatal(complaints.String())
	}
	return lines
}
