package containers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cassini/agent/containers/found"
	"cassini/model"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source knows containers by id; err, when set, is all it says.
type source struct {
	known map[string]string
	err   error
	hang  bool
	asked []string
}

func (s *source) Find(ctx context.Context, home model.Home) (model.Container, error) {
	s.asked = append(s.asked, home.ContainerID)
	if s.hang {
		<-ctx.Done()
		return model.Container{}, fmt.Errorf("ask: %w", ctx.Err())
	}
	if s.err != nil {
		return model.Container{}, s.err
	}
	name, ok := s.known[home.ContainerID]
	if !ok {
		return model.Container{}, found.ErrUnknown
	}
	return model.Container{ID: home.ContainerID, Name: name, Source: "test"}, nil
}

// rig runs Containers in a bubble of virtual time.
type rig struct {
	*Containers
	docs []string // "ID=NAME", or "ID gone"
	stop func()
}

func start(t *testing.T, published bool, sources ...Source) *rig {
	t.Helper()
	r := &rig{}
	r.Containers = New(Config{
		Host: "web-17", Sources: sources, Alive: func(cgroup string) bool { return !strings.HasPrefix(cgroup, "/ended") }, Logger: slog.New(slog.DiscardHandler),
		Emit: func(docs ...model.Document) {
			for _, d := range docs {
				var c model.Container
				if d.Gone() {
					r.docs = append(r.docs, d.Key+" gone")
				} else if err := d.Decode(&c); err != nil {
					t.Error(err)
				} else {
					r.docs = append(r.docs, c.ID+"="+c.Name)
				}
			}
		},
	})
	if published {
		r.Publish(nil)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	return r
}

func (r *rig) seen(id string) { r.Seen(model.Home{ContainerID: id}, "/x/"+id) }

func TestAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{known: map[string]string{"a": "web", "b": "db"}}
		r := start(t, true, &source{}, s)
		defer r.stop()
		for range 10 {
			r.seen("a")
		}
		synctest.Wait()
		for range 10 {
			r.seen("a")
			r.seen("b")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if !slices.Equal(s.asked, []string{"a", "b"}) || !slices.Equal(r.docs, []string{"a=web", "b=db"}) {
			t.Errorf("asked %q, emitted %q", s.asked, r.docs)
		}
		if got := r.Stats(); got.Known != 2 || got.Unknown != 0 || got.Found["test"] != 2 {
			t.Errorf("stats %+v", got)
		}
	})
}

// A question that fails is asked again a few times, then only when a process is seen,
// and no more often than once in five minutes.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{err: errors.New("connection refused")}
		r := start(t, true, s)
		defer r.stop()
		r.seen("a")
		synctest.Wait()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if len(s.asked) != 1+retries {
			t.Fatalf("asked %d times by itself", len(s.asked))
		}
		s.asked = nil
		for range 60 {
			r.seen("a")
			time.Sleep(10 * time.Second)
		}
		synctest.Wait()
		if len(s.asked) != 2 {
			t.Errorf("asked %d times in ten minutes full of new processes", len(s.asked))
		}
		s.err, s.known = nil, map[string]string{"a": "web"}
		time.Sleep(maxWait)
		r.seen("a")
		synctest.Wait()
		if got := r.Stats(); !slices.Equal(r.docs, []string{"a=web"}) || got.Failed["unreachable"] != 6 || got.Known != 1 {
			t.Errorf("emitted %q, stats %+v", r.docs, got)
		}
	})
}

// A source that hangs delays names, never whoever reports a process.
func TestHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{hang: true}
		r := start(t, true, s)
		defer r.stop()
		before := time.Now()
		for i := range 100 {
			r.seen(fmt.Sprint(i))
		}
		if waited := time.Since(before); waited != 0 {
			t.Errorf("waited %v", waited)
		}
		time.Sleep(timeout)
		synctest.Wait()
		if got := r.Stats().Failed["slow"]; got != 1 {
			t.Errorf("slow: %d", got)
		}
	})
}

// What the manager remembers is neither sent again nor lost.
func TestPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, false, &source{known: map[string]string{"a": "web", "b": "renamed", "c": "new"}})
		defer r.stop()
		r.seen("a")
		r.seen("b")
		synctest.Wait()
		var remembered []model.Document
		for id, name := range map[string]string{"a": "web", "b": "db", "c": "new", "gone": "job"} {
			doc, err := model.NewDocument(model.Name{Host: "web-17", Package: model.PackageContainers, Key: id}, time.Now(), model.Container{ID: id, Name: name, Source: "test"})
			if err != nil {
				t.Fatal(err)
			}
			remembered = append(remembered, doc)
		}
		if r.docs != nil {
			t.Errorf("before Publish: %q", r.docs)
		}
		r.Publish(remembered)
		r.seen("c")
		synctest.Wait()
		if !slices.Equal(r.docs, []string{"b=renamed"}) || r.Stats().Known != 4 {
			t.Errorf("emitted %q, stats %+v", r.docs, r.Stats())
		}
	})
}

// A container that only the manager remembers is asked about as its next process has it:
// of a user's containers, the user's runtime knows.
func TestHomeOfRemembered(t *testing.T) {
	doc, err := model.NewDocument(model.Name{Host: "web-17", Package: model.PackageContainers, Key: "a"}, time.Now(), model.Container{ID: "a", Name: "web", Runtime: model.RuntimePodman})
	if err != nil {
		t.Fatal(err)
	}
	c := New(Config{Host: "web-17", Emit: func(...model.Document) {}, Logger: slog.New(slog.DiscardHandler)})
	c.Publish([]model.Document{doc})
	home := model.Home{Runtime: model.RuntimePodman, ContainerID: "a", LoginUID: "1000"}
	c.Seen(home, "/user.slice/x")
	if e, _ := c.table.next(time.Now()); e == nil || e.home != home {
		t.Errorf("asks about %+v", e)
	}
}

func TestBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		known := make(map[string]string)
		r := start(t, true, &source{known: known})
		defer r.stop()
		r.table.limit = 8
		for i := range 8 {
			id := fmt.Sprint(i)
			known[id] = "n" + id
			cgroup := "/alive"
			if i == 1 {
				cgroup = "/ended"
			}
			r.Seen(model.Home{ContainerID: id}, cgroup)
			synctest.Wait()
		}
		r.docs = nil
		r.seen("8") // 1 has ended
		synctest.Wait()
		r.seen("9") // 0 is the one whose last process came first
		synctest.Wait()
		if !slices.Equal(r.docs, []string{"1 gone", "0 gone"}) || len(r.table.entries) != 8 || r.Stats().Forgotten != 2 {
			t.Errorf("emitted %q, %d kept", r.docs, len(r.table.entries))
		}
	})
}

func TestReason(t *testing.T) {
	for want, err := range map[string]error{
		"unknown": fmt.Errorf("x: %w", found.ErrUnknown), "malformed": fmt.Errorf("x: %w", found.ErrMalformed),
		"slow": fmt.Errorf("x: %w", context.DeadlineExceeded), "unreachable": errors.New("connection refused"),
	} {
		if got := reason(err); got != want {
			t.Errorf("%v: got %q, want %q", err, got, want)
		}
	}
	worst := errors.New("connection refused")
	if _, err := find(t.Context(), []Source{&source{}, &source{err: worst}, &source{}}, model.Home{}); !errors.Is(err, worst) {
		t.Errorf("the worst is %v", err)
	}
}
