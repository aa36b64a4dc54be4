package alerts

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cassini/manager/alerts"
	"cassini/model"
)

const secret = "correct horse"

func secretFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestIncidentsReachEverybody follows an incident through three receivers, and people who
// take it on and silence it.
func TestIncidentsReachEverybody(t *testing.T) {
	am, h := newAlertmanager(t), newHook(t, secret)
	dir := t.TempDir()
	page := filepath.Join(dir, "page")
	if err := os.WriteFile(page, []byte("#!/bin/sh\ncat >> "+dir+"/$1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	m := newManager(t, "--alert-alertmanager", "http://"+am.addr, "--alert-webhook", h.URL+"/hook", "--alert-webhook-secret-file", secretFile(t), "--alert-program", page+" pages")
	m.tell(model.VerdictCrashed, "db-1")
	const name = "CassiniHostCrashed db-1"
	wait(t, "Alertmanager has it", func() error { return active(am, name, true) })
	wait(t, "the webhook has it", func() error { return h.is("db-1", alerts.StatusFiring) })
	wait(t, "the program has it", func() error { return paged(filepath.Join(dir, "pages"), alerts.StatusFiring) })

	var list []model.Incident
	if err := json.Unmarshal([]byte(m.cassini("incidents", "-o", "json")), &list); err != nil || len(list) != 1 {
		t.Fatalf("%v: %+v", err, list)
	}
	m.cassini("incidents", "ack", list[0].ID, "--why", "on my way")
	wait(t, "the webhook knows who has it", func() error { return h.is("db-1", alerts.StatusAcked) })
	wait(t, "Alertmanager knows who has it", func() error {
		found, err := am.active()
		if err == nil && !strings.Contains(found[name]["acknowledged"], "by ann (loopback)") {
			err = fmt.Errorf("got %v", found)
		}
		return err
	})
	if out := m.cassini("incidents"); !strings.Contains(out, "acked by ann (loopback)") {
		t.Errorf("incidents:\n%s", out)
	}
	m.cassini("silence", "db-*", "--why", "moving", "--for", "2h")
	wait(t, "silenced", func() error { return h.is("db-1", alerts.StatusSilenced) })
	wait(t, "Alertmanager shows it no more", func() error { return active(am, name, false) })
	id := strings.Fields(m.cassini("silence", "list"))[8] // behind the titles
	m.cassini("silence", "end", id)
	wait(t, "told again", func() error { return h.is("db-1", alerts.StatusAcked) })
	wait(t, "Alertmanager shows it again", func() error { return active(am, name, true) })

	m.tell(model.VerdictCorrected, "db-1")
	wait(t, "Alertmanager sees the end", func() error { return active(am, name, false) })
	wait(t, "the webhook sees the end", func() error { return h.is("db-1", alerts.StatusResolved) })
	wait(t, "the program sees the end", func() error { return paged(filepath.Join(dir, "pages"), alerts.StatusResolved) })
	if h.badly > 0 {
		t.Errorf("%d signatures are wrong", h.badly)
	}
	if out := m.cassini("receivers"); strings.Count(out, "\n") != 4 || !strings.Contains(out, "program/page") {
		t.Errorf("receivers:\n%s", out)
	}
}

func active(am *alertmanager, name string, want bool) error {
	found, err := am.active()
	if _, there := found[name]; err == nil && there != want {
		err = fmt.Errorf("%s: there %v, want %v: %v", name, there, want, found)
	}
	return err
}

// paged looks for a status in the last message of a file.
func paged(path, status string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	var m alerts.Message
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &m); err != nil {
		return err
	}
	if m.Status != status {
		return errors.New("the last page is " + m.Status)
	}
	return nil
}

// TestAlertmanagerAway: an Alertmanager that is away for what happens hears of it, and so
// does one that lost its memory.
func TestAlertmanagerAway(t *testing.T) {
	am := newAlertmanager(t)
	m := newManager(t, "--alert-alertmanager", "http://"+am.addr)
	m.tell(model.VerdictCrashed, "db-1")
	wait(t, "it has one", func() error { return active(am, "CassiniHostCrashed db-1", true) })
	am.kill()
	m.tell(model.VerdictCorrected, "db-1")
	m.tell(model.VerdictCrashed, "web-1")
	wait(t, "metrics show what waits", func() error {
		if out := m.metrics(t); !strings.Contains(out, `cassini_alert_notices_pending{receiver="alertmanager/`+am.addr+`"} 2`) || !strings.Contains(out, `cassini_alert_receiver_works{receiver="alertmanager/`+am.addr+`"} 0`) {
			return errors.New("they do not")
		}
		return nil
	})
	m.kill()
	am.up()
	m.up()
	wait(t, "it has what came meanwhile", func() error { return active(am, "CassiniHostCrashed web-1", true) })
	wait(t, "and not what went", func() error { return active(am, "CassiniHostCrashed db-1", false) })
}

// TestKills kills the manager at any moment, over and over, while it tells a slow webhook:
// in the end it was told of everything.
func TestKills(t *testing.T) {
	h := newHook(t, secret)
	h.slow = 20 * time.Millisecond
	m := newManager(t, "--alert-webhook", h.URL, "--alert-webhook-secret-file", secretFile(t))
	// The manager has to have begun with the receiver: what ended before is no news.
	m.tell(model.VerdictCrashed, "first")
	wait(t, "the first one is told", func() error { return h.is("first", alerts.StatusFiring) })
	want := map[string]string{"first": alerts.StatusFiring}
	for round := range 8 {
		for n := range 3 {
			host := fmt.Sprintf("host-%d-%d", round, n)
			m.tell(model.VerdictCrashed, host)
			want[host] = alerts.StatusFiring
			if n == 1 {
				m.tell(model.VerdictCorrected, host)
				want[host] = alerts.StatusResolved
			}
		}
		time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond)
		m.kill()
		m.up()
	}
	for host, status := range want {
		wait(t, "in the end", func() error { return h.is(host, status) })
	}
}
