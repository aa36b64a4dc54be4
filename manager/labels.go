package manager

import (
	"context"
	"maps"

	"cassini/model"
)

// labelsAtOnce is how many documents about labels are written at a time.
const labelsAtOnce = 1000

// tellLabels writes down which labels hosts were given, where that is not as the log has it.
// The records of enrolment are the truth, and the log is where the graph and its past are
// made of.
func (m *Manager) tellLabels(ctx context.Context) {
	if m.enroll == nil {
		return
	}
	known := m.graph.Labels()
	joined := make(map[string]bool)
	var docs []model.Document
	for _, r := range m.enroll.Hosts() {
		joined[r.Host] = true
		is := model.HostLabels{Host: r.Host, Label: r.Label, Labels: maps.Clone(r.Labels)}
		was, told := known[r.Host]
		if told && is.Equal(was) || !told && is.Empty() {
			continue
		}
		doc, err := m.own(model.PackageLabels, r.Host, is, is.Empty())
		if err != nil {
			m.log.Error("labels of a host cannot be written down", "host", r.Host, "error", err)
			continue
		}
		if docs = append(docs, doc); len(docs) == labelsAtOnce {
			break // the rest comes with the next tick
		}
	}
	for host := range known {
		if !joined[host] && len(docs) < labelsAtOnce {
			docs = append(docs, model.Document{Name: model.Name{Host: m.cfg.Host, Package: model.PackageLabels, Key: host}, Time: m.cfg.Now().UTC()})
		}
	}
	if len(docs) == 0 {
		return
	}
	if err := m.Accept(ctx, docs); err != nil && ctx.Err() == nil {
		m.log.Error("labels of hosts cannot be written down; it is tried again", "error", err)
	}
}
