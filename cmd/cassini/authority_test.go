package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cassini/agent/enroll"
	"cassini/agent/outbox"
	"cassini/manager"
	enrolment "cassini/manager/enroll"
	"cassini/model"
)

// managed is a manager at one address that can be started again.
type managed struct {
	t        *testing.T
	dir, url string
	stop     func()
}

func newManaged(t *testing.T) *managed {
	t.Helper()
	m := &managed{t: t, dir: t.TempDir()}
	m.start("127.0.0.1:0")
	t.Cleanup(func() { m.stop() })
	return m
}

func (m *managed) start(address string) {
	m.t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		m.t.Fatal(err)
	}
	m.url = "https://" + l.Addr().String()
	one := manager.New(manager.Config{DataDir: m.dir, Host: "manager", TLS: manager.TLS{On: true}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- one.Run(ctx, l) }()
	m.stop = func() {
		cancel()
		if err := <-done; err != nil {
			m.t.Error(err)
		}
	}
	for !one.Replayed() {
		time.Sleep(time.Millisecond)
	}
}

func (m *managed) again() {
	m.t.Helper()
	m.stop()
	m.start(strings.TrimPrefix(m.url, "https://"))
}

func (m *managed) do(line string) result {
	m.t.Helper()
	return cassini(m.t, map[string]string{"CASSINI_DATA_DIR": m.dir, "CASSINI_API": m.url}, strings.Fields(line)...)
}

func (m *managed) view() (v enrolment.View) {
	m.t.Helper()
	got := m.do("authority -o json")
	if err := json.Unmarshal([]byte(got.stdout), &v); err != nil {
		m.t.Fatalf("%v: %+v", err, got)
	}
	return v
}

// talking are agents that deliver documents all the time.
type talking struct {
	t         *testing.T
	delivered atomic.Int64
	mu        sync.Mutex
	refused   []error
	joined    []string // data directories
}

// knowTwo says whether any agent knows its manager by more than one authority.
func (k *talking) knowTwo() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.ContainsFunc(k.joined, func(dir string) bool {
		id, err := enroll.Load(dir)
		if err != nil {
			k.t.Error(err)
		}
		return err == nil && len(id.Authorities) > 1
	})
}

// talk lets an agent join and deliver until the context ends.
func (k *talking) talk(ctx context.Context, m *managed, host string) error {
	dir := k.t.TempDir()
	token := strings.TrimSpace(m.do("token create --role agent").stdout)
	if _, err := enroll.Join(ctx, enroll.Request{Manager: m.url, Token: token, Host: host, Dir: dir}); err != nil {
		return fmt.Errorf("join %s: %w", host, err)
	}
	k.mu.Lock()
	k.joined = append(k.joined, dir)
	k.mu.Unlock()
	member, err := enroll.Open(dir, host, m.url, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return err
	}
	var both sync.WaitGroup
	defer both.Wait()
	both.Go(func() { _ = member.Run(ctx) }) // nil: it ends with the context
	sink := outbox.NewTLSSink(m.url, "", member.TLS())
	for n := 0; ctx.Err() == nil; n++ {
		doc, err := model.NewDocument(model.Name{Host: host, Package: model.PackageOS}, time.Now(), map[string]int{"n": n})
		if err != nil {
			return err
		}
		switch _, err := sink.Deliver(ctx, model.Batch{Host: host, Documents: []model.Document{doc}}); {
		case err == nil:
			k.delivered.Add(1)
		case ctx.Err() != nil || away(err):
		default:
			k.mu.Lock()
			k.refused = append(k.refused, fmt.Errorf("%s, document %d: %w", host, n, err))
			k.mu.Unlock()
		}
		time.Sleep(200 * time.Millisecond)
	}
	return nil
}

// away says that a manager could not be reached, or is starting: it has refused nothing.
func away(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op != "remote error" { // that is an alert of TLS
		return true
	}
	_, busy := errors.AsType[*model.BusyError](err)
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || busy || strings.Contains(err.Error(), "503") || strings.Contains(err.Error(), "connection lost") || strings.Contains(err.Error(), "GOAWAY")
}

func (k *talking) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.refused)
}

// TestRotation rotates the authority while twenty agents deliver, with another start of the
// manager in the midst of it: nothing is refused. Then it is replaced at once, and all is.
func TestRotation(t *testing.T) {
	m := newManaged(t)
	ctx, stop := context.WithCancel(t.Context())
	k := &talking{t: t}
	var agents sync.WaitGroup
	defer agents.Wait()
	defer stop()
	const hosts = 20
	for n := range hosts {
		agents.Go(func() {
			if err := k.talk(ctx, m, fmt.Sprintf("host-%d", n)); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	await := func(what string, so func() bool) {
		t.Helper()
		for end := time.Now().Add(5 * time.Minute); !so(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: not within five minutes; refused %d", what, k.count())
			}
		}
	}
	await("all have joined", func() bool { return m.view().Authorities[0].Certificates == hosts && k.delivered.Load() > hosts })
	before := m.view().Authorities[0].Hash
	viewer := strings.TrimSpace(m.do("token create --role viewer").stdout)
	if got := m.do("authority rotate --overlap 1h"); got.code != 0 || !strings.Contains(got.stdout, "A rotation is under way") || !strings.Contains(got.stdout, "Tokens that name the old one, and need another in their place until then: 1") {
		t.Fatalf("%+v", got)
	}
	m.again()
	if got := cassini(t, map[string]string{"CASSINI_TOKEN": viewer, "CASSINI_API": m.url, "CASSINI_DATA_DIR": "/nonexistent"}, "services"); got.code != 0 {
		t.Errorf("by a token of before: %+v", got)
	}
	fresh := strings.TrimSpace(m.do("token create --role viewer").stdout)
	await("all know the next one", func() bool { r := m.view().Rotation; return r != nil && r.WaitingAll == 0 && r.Known == hosts })
	m.do("token revoke " + strings.Split(viewer, "_")[2])
	await("the old one is retired", func() bool { return m.view().Rotation == nil })
	if list := m.view().Authorities; len(list) != 1 || list[0].Hash == before || list[0].Certificates != hosts {
		t.Errorf("got %+v", list)
	}
	m.again()
	n := k.delivered.Load()
	await("they deliver", func() bool { return k.delivered.Load() > n+2*hosts })
	await("none takes the old one for its manager's any more", func() bool { return !k.knowTwo() })
	if len(k.refused) > 0 {
		t.Errorf("refused %d, the first: %v", len(k.refused), k.refused[0])
	}
	if got := cassini(t, map[string]string{"CASSINI_TOKEN": fresh, "CASSINI_API": m.url, "CASSINI_DATA_DIR": "/nonexistent"}, "services"); got.code != 0 {
		t.Errorf("by a token that was made meanwhile: %+v", got)
	}
	if got := m.do("audit --action authority.retire"); !strings.Contains(got.stdout, "nobody needs it") {
		t.Errorf("the audit log: %+v", got)
	}
	if got := m.do("authority rotate --now"); got.code != 2 {
		t.Errorf("without --yes: %+v", got)
	}
	if got := m.do("authority rotate --now --yes"); got.code != 0 || !strings.Contains(got.stdout, "Hosts that have to join anew: 20") {
		t.Errorf("%+v", got)
	}
	await("all are refused", func() bool { return k.count() >= hosts })
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.refused[len(k.refused)-1]; !strings.Contains(err.Error(), "cassini join") {
		t.Errorf("it says %v", err)
	}
	if raw, err := os.ReadFile(filepath.Join(m.dir, enrolment.CertFile)); err != nil || strings.Count(string(raw), "BEGIN CERTIFICATE") != 1 {
		t.Errorf("%s, %v", raw, err)
	}
}
