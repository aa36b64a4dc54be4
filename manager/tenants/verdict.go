package tenants

import (
	"slices"
	"strings"

	"cassini/model"
)

// verdict passes what is said of the tenant's hosts, and of zones that they are in, with
// masks for who says it.
func (b *Border) verdict(d model.Document) (model.Document, bool) {
	var v model.Verdict
	if d.Gone() || d.Decode(&v) != nil || !b.concerns(v) {
		return d, false
	}
	reporter := v.ID.Reporter
	if b.Owns(v.Subject.Host) {
		b.learn(v.Subject.Zone)
	}
	v.ID.Reporter = b.Mask(reporter)
	if v.Corrects != nil {
		corrects := *v.Corrects
		corrects.Reporter = b.Mask(corrects.Reporter)
		v.Corrects = &corrects
	}
	v.Evidence.Observations = slices.Clone(v.Evidence.Observations)
	for n := range v.Evidence.Observations {
		o := &v.Evidence.Observations[n]
		o.Observer = b.Mask(o.Observer)
	}
	v.Bridged = b.Mask(v.Bridged)
	return b.with(d, b.verdictName(d.Name, reporter), v)
}

// verdictName masks who is in the name of a verdict: who brings it, and at the beginning of its key
// who said it.
func (b *Border) verdictName(n model.Name, reporter string) model.Name {
	if rest, ok := strings.CutPrefix(n.Key, reporter+"."); ok {
		n.Key = b.Mask(reporter) + "." + rest
	}
	n.Host = b.Mask(n.Host)
	return n
}

// concerns says whether a verdict is about the tenant's hosts. One about a zone is where
// its hosts are in it, and one about the manager where its host says it.
func (b *Border) concerns(v model.Verdict) bool {
	switch subject := v.Subject; {
	case subject.Host == model.ManagerHost:
		return b.Owns(v.ID.Reporter)
	case subject.Host == subject.Zone:
		return b.knows(subject.Zone) || slices.ContainsFunc(v.Evidence.Observations, func(o model.Observation) bool { return b.Owns(o.Observer) })
	default:
		return b.Owns(subject.Host)
	}
}
