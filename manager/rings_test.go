package manager

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

func TestUnsettled(t *testing.T) {
	for log, want := range map[string]string{
		"":                              "",
		"a:crashed":                     "a:crashed",
		"a:crashed b:hung a:corrected":  "b:hung a:corrected",
		"a:corrected a:crashed a:hung":  "a:crashed a:hung",
		"a:hung a:corrected a:crashed":  "a:crashed",
		"a:corrected b:hung a:link":     "b:hung a:link",
		"a:corrected a:corrected b:?":   "a:corrected",
		"a:hung b:corrected b:hung c:?": "a:hung b:hung",
	} {
		var docs []model.Document
		for i, what := range strings.Fields(log) {
			host, kind, _ := strings.Cut(what, ":")
			v := model.Verdict{ID: model.ReportID{Reporter: "r", Incarnation: 1, Sequence: uint64(i)}, Kind: model.VerdictKind(kind), Subject: model.RingMember{Host: host}, At: time.Now()}
			doc, err := model.VerdictDocument(v, "r")
			if err != nil {
				t.Fatal(err)
			}
			if kind == "?" {
				doc.Body = []byte(`{"id":7}`)
			}
			docs = append(docs, doc)
		}
		var got []string
		for _, doc := range unsettled(docs) {
			var v model.Verdict
			if err := doc.Decode(&v); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s:%s", v.Subject.Host, v.Kind))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("of %q there remain %q, want %q", log, got, want)
		}
	}
}
