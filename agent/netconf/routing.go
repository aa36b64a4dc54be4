package netconf

import (
	"cassini/model"
)

// at names a document of routing.
type at struct{ pkg, key string }

// standing is a route or a rule of a namespace, as it stands.
type standing struct {
	netns string
	body  any // model.Route or model.Rule
}

// routing are the routes and rules of all namespaces.
type routing map[at]standing

// take takes what moved in a namespace, and hands it on.
func (r routing) take(netns string, changes []change, tell func(change)) {
	for _, c := range changes {
		if c.body == nil {
			delete(r, at{c.pkg, c.key})
		} else {
			r[at{c.pkg, c.key}] = standing{netns, c.body}
		}
		tell(c)
	}
}

// leave drops those of a namespace that is not listened to any more.
func (r routing) leave(netns string, tell func(change)) {
	for a, s := range r {
		if s.netns == netns {
			delete(r, a)
			tell(change{a.pkg, a.key, nil})
		}
	}
}

// recall compares with what the manager remembers, and tells what differs. A route
// that is still the same has the beginning that is remembered.
func (r routing) recall(remembered []model.Document, tell func(change)) {
	known := make(map[at]bool)
	for _, doc := range remembered {
		a := at{doc.Package, doc.Key}
		if doc.Gone() || a.pkg != model.PackageRoutes && a.pkg != model.PackageRules {
			continue
		}
		s, there := r[a]
		if !there {
			tell(change{a.pkg, a.key, nil})
			continue
		}
		s.body, known[a] = since(s.body, doc)
		r[a] = s
	}
	for a, s := range r {
		if !known[a] {
			tell(change{a.pkg, a.key, s.body})
		}
	}
}

// since gives what stands the beginning that a document remembers, and says whether
// they are then the same.
func since(body any, doc model.Document) (any, bool) {
	switch b := body.(type) {
	case model.Route:
		var before model.Route
		if doc.Decode(&before) == nil && b.Since.IsZero() {
			b.Since = before.Since
		}
		same, err := model.NewDocument(doc.Name, doc.Time, b)
		return b, err == nil && string(same.Body) == string(doc.Body)
	case model.Rule:
		var before model.Rule
		if doc.Decode(&before) == nil && b.Since.IsZero() {
			b.Since = before.Since
		}
		same, err := model.NewDocument(doc.Name, doc.Time, b)
		return b, err == nil && string(same.Body) == string(doc.Body)
	}
	return body, false
}
