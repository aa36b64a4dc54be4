package exporter

import (
	"strings"
	"testing"

	"cassini/model"
)

// Of Unix-domain sockets connections are counted, and bytes are not told to be none where nothing counts them.
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
	d.BytesSent, d.BytesReceived = 17, 4711
	scrape = string(scrapeOf(t, New(src, Config{})))
	for direction, n := range map[string]string{"sent": "17", "received": "4711"} {
		if !strings.Contains(scrape, `cassini_dependency_bytes_total{client="process:h/psql",direction="`+direction+`",proto="unix",server="service:h/postgres/unix:/run/s"} `+n+"\n") {
			t.Errorf("bytes %s are missing", direction)
		}
	}
}

// Of UDP bytes and datagrams are told where they are counted.
func TestUDPDependencies(t *testing.T) {
	d := model.DependencyView{Proto: "udp", Client: model.Party{ID: "process:h/dig"}, Server: model.Party{ID: "service:h/named:53"}}
	src := fixture()
	src.Dependencies = func() []model.DependencyView { return []model.DependencyView{d} }
	if scrape := string(scrapeOf(t, New(src, Config{}))); strings.Contains(scrape, "cassini_dependency_bytes_total{") || strings.Contains(scrape, "cassini_dependency_datagrams_total{") {
		t.Error("bytes or datagrams are told that nothing counts")
	}
	d.BytesSent, d.DatagramsSent, d.DatagramsReceived = 90, 3, 2
	scrape := string(scrapeOf(t, New(src, Config{})))
	for _, want := range []string{
		`bytes_total{client="process:h/dig",direction="received",proto="udp",server="service:h/named:53"} 0`,
		`datagrams_total{client="process:h/dig",direction="sent",proto="udp",server="service:h/named:53"} 3`,
		`datagrams_total{client="process:h/dig",direction="received",proto="udp",server="service:h/named:53"} 2`,
	} {
		if !strings.Contains(scrape, "cassini_dependency_"+want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
}
