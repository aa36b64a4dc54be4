package exporter

import (
	"strings"
	"testing"

	"cassini/model"
)

// Of Unix-domain sockets connections are counted, and bytes are not told to be none.
func TestUnixDependencies(t *testing.T) {
	d := model.DependencyView{Proto: model.ProtoUnix, Client: model.Party{ID: "process:h/psql"}, Server: model.Party{ID: "service:h/postgres/unix:/run/s"}}
	d.Connections, d.Open = 3, 1
	src := fixture()
	src.Dependencies = func() []model.DependencyView { return []model.DependencyView{d} }
	scrape := string(scrapeOf(t, New(src, Config{})))
	if !strings.Contains(scrape, `cassini_dependency_connections_total{client="process:h/psql",proto="unix",server="service:h/postgres/unix:/run/s"} 3`) {
		t.Error("connections are missing")
	}
	if strings.Contains(scrape, "cassini_dependency_bytes_total{") {
		t.Error("bytes are told")
	}
}
