package model

import (
	"testing"
	"time"
)

func TestSilenceCovers(t *testing.T) {
	gone := Incident{Kind: IncidentServiceGone, Severity: SeverityWarning, State: IncidentOpen, Subjects: []string{"service:web-17/nginx:80", "service:web-17/nginx:443"}}
	part := gone
	part.Back = []string{"service:web-17/nginx:443"}
	over := part
	over.State, over.Back = IncidentClosed, gone.Subjects
	crash := Incident{Kind: VerdictCrashed, Severity: SeverityCritical, State: IncidentOpen, Subjects: []string{"web-17", "db-1"}}
	lost := Incident{Kind: VerdictSegment, State: IncidentOpen, Subjects: []string{"subnet:10.0.0.0/24"}}
	for name, c := range map[string]struct {
		s    Silence
		i    Incident
		want bool
	}{
		"the host of services":        {Silence{Subject: "web-17"}, gone, true},
		"hosts by a star":             {Silence{Subject: "web-*"}, gone, true},
		"a star in the middle":        {Silence{Subject: "w*-17"}, gone, true},
		"every host":                  {Silence{Subject: "*"}, crash, true},
		"a service by its node":       {Silence{Subject: "service:web-17/nginx:*"}, gone, true},
		"one of two services":         {Silence{Subject: "service:web-17/nginx:80"}, gone, false},
		"the one that is not back":    {Silence{Subject: "service:web-17/nginx:80"}, part, true},
		"one of two that are over":    {Silence{Subject: "service:web-17/nginx:80"}, over, false},
		"one of two hosts":            {Silence{Subject: "web-*"}, crash, false},
		"another host":                {Silence{Subject: "web-1"}, gone, false},
		"a kind":                      {Silence{Kind: IncidentServiceGone}, gone, true},
		"another kind":                {Silence{Kind: VerdictCrashed, Subject: "web-17"}, gone, false},
		"a severity":                  {Silence{Severity: SeverityWarning}, gone, true},
		"another severity":            {Silence{Severity: SeverityCritical, Subject: "*"}, gone, false},
		"a zone":                      {Silence{Subject: "subnet:10.0.0.0/24"}, lost, true},
		"a pattern that is not whole": {Silence{Subject: "["}, gone, false},
	} {
		if got := c.s.Covers(c.i); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestMarkSilenced(t *testing.T) {
	at := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	s := Silence{ID: "s1", Subject: "*", At: at, Until: at.Add(time.Hour)}
	open := Incident{State: IncidentOpen, Subjects: []string{"a"}}
	over := func(after time.Duration) Incident {
		return Incident{State: IncidentClosed, Subjects: []string{"a"}, Closed: at.Add(after)}
	}
	for name, c := range map[string]struct {
		i    Incident
		now  time.Time
		want string
	}{
		"open, in force":              {open, at.Add(time.Minute), "s1"},
		"open, before it was made":    {open, at.Add(-time.Minute), ""},
		"open, ended":                 {open, at.Add(time.Hour), ""},
		"ended while it was in force": {over(time.Minute), at.Add(5 * time.Hour), "s1"},
		"ended before":                {over(-time.Minute), at.Add(time.Minute), ""},
		"ended after":                 {over(2 * time.Hour), at.Add(5 * time.Hour), ""},
	} {
		list := []Incident{c.i}
		MarkSilenced(list, []Silence{s}, c.now, nil)
		if list[0].Silenced != c.want {
			t.Errorf("%s: got %q", name, list[0].Silenced)
		}
	}
}

func TestSubjectHost(t *testing.T) {
	for subject, want := range map[string]string{
		"web-17": "web-17", "host:web-17": "web-17", "service:web-17/nginx:80": "web-17", "service:10.0.0.9:5432": "", "interface:web-17/eth0": "web-17",
		"subnet:10.0.0.0/24": "subnet:10.0.0.0/24", "ip:10.0.0.7": "", "process:web-17/usr/bin/curl -depends_on-> service:db/postgres:5432": "web-17", "": "",
	} {
		if got := SubjectHost(subject); got != want {
			t.Errorf("%q: got %q, want %q", subject, got, want)
		}
	}
}
