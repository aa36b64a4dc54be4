package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"cassini/model"
)

// Alertmanager forgets alerts that it does not hear of again: they are sent each minute,
// with an end that lies four ahead, as Prometheus does. So what a dead manager left behind
// ends by itself.
const (
	repeatAlerts = time.Minute
	aliveFor     = 4 * time.Minute
	alertBatch   = 64
)

// alertmanager is Alertmanager's API, version 2.
type alertmanager struct{ *endpoint }

// alert is what POST /api/v2/alerts takes: labels tell alerts apart.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

// Batch implements Receiver.
func (*alertmanager) Batch() int { return alertBatch }

// Repeat implements Receiver.
func (*alertmanager) Repeat() time.Duration { return repeatAlerts }

// Send implements Receiver.
func (a *alertmanager) Send(ctx context.Context, notices []Notice, now time.Time) error {
	list := make([]alert, 0, len(notices))
	for _, n := range notices {
		list = append(list, alertsOf(n, now)...)
	}
	for _, one := range list {
		if a.tenant != "" { // an incident of the estate is another alert
			one.Labels["tenant"] = a.tenant
		}
	}
	body, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("tell %s: %w", a.name, err)
	}
	return a.post(ctx, "/api/v2/alerts", body, nil)
}

// alertsOf are the alert of a notice and, where its labels have become others, the end of
// the one that it was. A silenced incident ends there as well.
func alertsOf(n Notice, now time.Time) (list []alert) {
	labels := alertLabels(n.Incident)
	if n.Before != nil {
		if old := alertLabels(*n.Before); !maps.Equal(old, labels) && n.Before.State == model.IncidentOpen {
			list = append(list, alert{Labels: old, Annotations: annotations(*n.Before), StartsAt: n.Before.Opened, EndsAt: now})
		}
	}
	a := alert{Labels: labels, Annotations: annotations(n.Incident), StartsAt: n.Incident.Opened, EndsAt: now.Add(aliveFor)}
	switch n.Status {
	case StatusResolved:
		a.EndsAt = n.Incident.Closed
		if a.EndsAt.IsZero() || a.EndsAt.After(now) {
			a.EndsAt = now
		}
	case StatusSilenced:
		a.EndsAt = now
	}
	if a.EndsAt.Before(a.StartsAt) { // it refuses those
		a.EndsAt = a.StartsAt
	}
	return append(list, a)
}

func alertLabels(i model.Incident) map[string]string {
	labels := map[string]string{"alertname": alertName(i.Kind), "kind": string(i.Kind), "severity": i.Severity, "incident": i.ID}
	if i.Cause != "" {
		labels["cause"] = i.Cause
	}
	if len(i.Subjects) > 0 {
		if host := model.SubjectHost(i.Subjects[0]); host != "" {
			labels["host"] = host
		}
	}
	if i.Zone != "" {
		labels["zone"] = i.Zone
	}
	return labels
}

// alertName is "CassiniServiceGone" of "service-gone".
func alertName(kind model.VerdictKind) string {
	name := "Cassini"
	for word := range strings.SplitSeq(string(kind), "-") {
		if word != "" {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return name
}

func annotations(i model.Incident) map[string]string {
	a := map[string]string{"summary": i.Summary}
	if i.Action != "" {
		a["action"] = i.Action
	}
	if f := i.Affected; f != nil && f.Hosts+f.Services+f.Programs > 0 {
		a["affected"] = fmt.Sprintf("%d services, %d programs, %d hosts: %s", f.Services, f.Programs, f.Hosts, strings.Join(f.First, " "))
	}
	if i.Ack != nil {
		a["acknowledged"] = strings.TrimSpace(fmt.Sprintf("by %s at %s %s", i.Ack.By, i.Ack.At.UTC().Format(time.RFC3339), i.Ack.Why))
	}
	return a
}
