package manager

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"cassini/manager/graph"
	"cassini/manager/store"
	"cassini/model"
)

// What a manager says itself stands under the name of its host. One that went on under another name, on
// another machine or since its host was renamed, takes over what it said under the one before: else
// that would stay when it takes it back, and go with the host of that name.

// overAtOnce is how many documents are taken over in one commit, twice: the end of one, and another.
const overAtOnce = 500

// noteElsewhere notes, of documents that are replayed, those of a manager under another name that stand.
func (m *Manager) noteElsewhere(docs []graph.Logged) {
	if m.elsewhere == nil {
		return // it is over
	}
	for n := range docs { // the memory that they are in is used again
		d := &docs[n].Document
		switch {
		case d.Host == m.cfg.Host || !slices.Contains(model.ManagerPackages(), d.Package):
		case d.Gone():
			delete(m.elsewhere, d.Name)
		default:
			m.elsewhere[model.Name{Host: strings.Clone(d.Host), Package: strings.Clone(d.Package), Key: strings.Clone(d.Key)}] = store.Key(strings.Clone(docs[n].Key))
		}
	}
}

// takeOver takes over what was noted, before anybody else writes: the oldest first, so that of two names the
// newest counts.
func (m *Manager) takeOver(ctx context.Context) error {
	names, taken := slices.Collect(maps.Keys(m.elsewhere)), 0
	slices.SortFunc(names, func(a, b model.Name) int { return cmp.Compare(m.elsewhere[a], m.elsewhere[b]) })
	for some := range slices.Chunk(names, overAtOnce) {
		docs, err := m.takenOver(ctx, some)
		if err == nil {
			_, err = m.store.Deliver(ctx, model.Batch{Documents: docs})
		}
		if err == nil {
			err = m.follow(ctx)
		}
		if errors.Is(err, store.ErrFull) { // nothing else keeps a manager from starting then
			m.log.Warn("what a manager of another host name said stays under that name until there is room and the manager is started again", "error", err)
			break
		}
		if err != nil {
			return err
		}
		taken += len(docs)
	}
	if taken > 0 {
		m.log.Info("what a manager of another host name said is taken over", "documents", len(names), "from", names[0].Host)
	}
	m.elsewhere = nil
	return nil
}

// takenOver ends documents, and tells what they said as this manager's, unless that has said something
// since. It may have ended them itself when it was taken over, before it came back.
func (m *Manager) takenOver(ctx context.Context, names []model.Name) (docs []model.Document, err error) {
	for _, name := range names {
		was, err := m.newest(ctx, name)
		if err != nil {
			return nil, err
		}
		if was.Document.Gone() {
			continue
		}
		docs = append(docs, model.Document{Name: name, Time: m.cfg.Now().UTC()})
		name.Host = m.cfg.Host
		is, err := m.newest(ctx, name)
		if err != nil {
			return nil, err
		}
		if is.Key < was.Key {
			is = was
		}
		if is.Document.Name = name; !is.Document.Gone() {
			docs = append(docs, is.Document)
		}
	}
	return docs, nil
}

// newest is the newest entry of a name; a zero one where there is none, or none that can be decoded.
func (m *Manager) newest(ctx context.Context, name model.Name) (newest store.Entry, err error) {
	for e, err := range m.store.Latest(ctx, store.Filter(name)) {
		if err != nil && !errors.Is(err, store.ErrBadEntry) {
			return newest, err
		}
		if err == nil {
			newest = e
		}
	}
	return newest, nil
}
