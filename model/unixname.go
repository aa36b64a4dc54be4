package model

// ProtoUnix is the protocol of Unix-domain sockets, whatever their type.
const ProtoUnix = "unix"

// Types of Unix-domain sockets.
const (
	UnixStream    = "stream"
	UnixDatagram  = "datagram"
	UnixSeqpacket = "seqpacket"
)

// UnixName is the address of a Unix-domain socket: it has a name instead of an address
// and a port. All of it is empty for other protocols.
type UnixName struct {
	// Path is where its file stands, or "@NAME" for one in the abstract namespace.
	Path string `json:"path,omitempty"`
	// MntnsName is "mnt:[INODE]" for a path that means another file outside that mount
	// namespace. An abstract name belongs to a network namespace instead.
	MntnsName  string `json:"mntns_name,omitempty"`
	SocketType string `json:"socket_type,omitempty"` // UnixStream, UnixDatagram, UnixSeqpacket
}

func (u UnixName) space(netns string) string {
	if u.MntnsName != "" {
		return u.MntnsName
	}
	return netns
}

// UnixServiceID is "service:web-17/postgres/unix:/run/postgresql/.s.PGSQL.5432", with
// "@SPACE" behind it as in UnixName.
func UnixServiceID(host, program, path, space string) string {
	return atNetns(KindService+":"+host+"/"+program+"/"+ProtoUnix+":"+path, space)
}

// AbsentUnixServiceID names a socket that somebody dials and that nobody serves:
// "service:web-17/unix:/run/x.sock".
func AbsentUnixServiceID(host, path, space string) string {
	return atNetns(KindService+":"+host+"/"+ProtoUnix+":"+path, space)
}
