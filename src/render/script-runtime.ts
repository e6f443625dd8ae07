/**
 * The part of a script that is the same in all: what its words do. POSIX shell with `ip` and `bridge` of iproute2, and `ethtool`
 * where checksum offload is to be switched. What is there is read first, so that nothing is touched that is as it should be.
 */
export const SCRIPT_RUNTIME = `set -uf
PATH=\${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL

nl='
'
zero=00:00:00:00:00:00
failed=
differing=
overlay=

fail() {
  printf '%s: error: %s\\n' "$me" "$1" >&2
  failed=yes
  return 1
}

# For status.
differs() {
  printf '%s: %s\\n' "$overlay" "$1"
  differing=yes
}

# --- The underlay

# Sets holder: the link that holds the underlay address; empty when there is none.
find_holder() {
  holder=
  found=$(ip -o address show to "$underlay") || return 1
  while read -r _ name _; do
    case \${name:-lo} in lo | "$holder") continue ;; esac
    [ "$holder" = '' ] || fail "$underlay is on $holder and on $name: name the device in the fabric file" || return 1
    holder=$name
  done <<END
$found
END
}

# Sets device, which the links name, and carrier, whose MTU counts, with carrier_mtu. Each is empty when there is none.
find_underlay() {
  case $uses in
    device)
      device=$named
      carrier=$named
      ;;
    address)
      find_holder || return 1
      [ "$holder" != '' ] || fail "no link has the underlay address $underlay" || return 1
      device=$holder
      carrier=$holder
      ;;
    none)
      find_holder || return 1
      device=
      carrier=$holder
      ;;
  esac
  carrier_mtu=
  [ "$carrier" != '' ] || return 0
  shown=$(ip -o link show dev "$carrier") || fail "there is no link $carrier" || return 1
  carrier_mtu=\${shown#* mtu }
  carrier_mtu=\${carrier_mtu%% *}
}

# Sets mtu. $1: bytes, or auto.
find_mtu() {
  mtu=$1
  if [ "$carrier_mtu" = '' ]; then
    [ "$mtu" != auto ] || fail "no link has the underlay address $underlay and tells the MTU of $link" || return 1
    return 0
  fi
  most=$((carrier_mtu - overhead))
  [ "$mtu" != auto ] || mtu=$most
  [ "$mtu" -le "$most" ] || fail "mtu $mtu of $link is more than $most: $carrier has $carrier_mtu" || return 1
}

# --- What a link is

# Reads $link into $shown, which is empty when there is no such link.
look() {
  shown=$(ip -o -d link show dev "$link" 2>/dev/null) || shown=
}

is_a() {
  case $shown in *"\\\\    $1 "*) ;; *) return 1 ;; esac
}

# Whether $shown is of this fabric: by its alias, or by its group while it has none yet.
is_ours() {
  case $shown in
    *"\\\\    alias everlan:$fabric/"*) ;;
    *"\\\\    alias "*) return 1 ;;
    *" group $group "*) ;;
    *) return 1 ;;
  esac
}

has() {
  case " $words " in *" $1 "*) ;; *) return 1 ;; esac
}

lacks() {
  ! has "$1"
}

# Sets shown_as: what newer releases of ip show for a flag.
name_flag() {
  case $1 in
    udpcsum) shown_as=udp_csum ;;
    noudpcsum) shown_as=noudp_csum ;;
    udp6zerocsumtx) shown_as=udp_zero_csum6_tx ;;
    udp6zerocsumrx) shown_as=udp_zero_csum6_rx ;;
    remcsumtx) shown_as=remcsum_tx ;;
    remcsumrx) shown_as=remcsum_rx ;;
    *) shown_as=$1 ;;
  esac
}

has_flag() {
  name_flag "$1"
  has "$1" || has "$shown_as"
}

lacks_flag() {
  ! has_flag "$1"
}

# Whether a VXLAN link shows all of these options of ip link. What is off, or left to the kernel, is not shown.
shows() {
  words=\${shown#*"\\\\    vxlan "}
  words=\${words%%"\\\\"*}
  while [ $# -gt 0 ]; do
    case "$1 \${2-}" in
      'df unset') lacks 'df set' && lacks 'df inherit' ;;
      'remote 0.0.0.0' | 'remote ::') lacks remote && lacks group ;;
      'local 0.0.0.0' | 'local ::') lacks local ;;
      'tos 0' | 'flowlabel 0') lacks "$1" ;;
      'maxaddress 0') lacks maxaddr ;;
      maxaddress\\ *) has "maxaddr $2" ;;
      srcport\\ *) has "srcport $2 \${3-}" ;;
      # Some releases of ip show these when they are on, all when they are off.
      learning\\ * | udpcsum\\ *) lacks_flag "no$1" ;;
      nolearning\\ * | noudpcsum\\ *) has_flag "$1" ;;
      no*) lacks_flag "\${1#no}" ;;
      *)
        case $1 in
          id | dstport | remote | group | local | dev | ttl | tos | df | flowlabel | ageing) has "$1 $2" ;;
          *) has_flag "$1" ;;
        esac
        ;;
    esac || return 1
    case $1 in
      srcport) shift 3 ;;
      id | dstport | remote | group | local | dev | ttl | tos | df | flowlabel | ageing | maxaddress) shift 2 ;;
      *) shift ;;
    esac
  done
}

has_master() {
  case $shown in *' master '*) ;; *) return 1 ;; esac
}

# Whether a VXLAN link is right in what only a new one can have otherwise. The options may be split: none has a blank.
# shellcheck disable=SC2086
is_made() {
  is_a vxlan && shows $fixed || return 1
  for word in gbp gpe external vnifilter; do
    case " $fixed " in *" $word "*) ;; *) lacks "$word" || return 1 ;; esac
  done
  # Not every ip can mark addresses as ours: those that the link had outside a bridge go with it.
  [ "$master" = '' ] || has_master || return 1
  # A link joins a group, and leaves it, with its life.
  case " $live " in *' group '*) has "group $remote" ;; *) lacks group ;; esac || return 1
  # The row of the remote names the device, and goes on naming the old one.
  if [ "$device" = '' ]; then lacks dev; else has "dev $device"; fi
}

# Whether all is right that every link has.
is_right() {
  words=$shown
  has "mtu $mtu" && has "link/ether $mac" && has "group $group" && has "alias $alias" || return 1
  if [ "$master" = '' ]; then lacks master; else has "master $master"; fi || return 1
  case $shown in *[\\<,]UP[,\\>]*) ;; *) return 1 ;; esac
}

# --- Changing links

# A change of the MAC drops the link's neighbours, so the same one is not set again.
make_right() {
  set -- mtu "$mtu" group "$group" alias "$alias"
  words=$shown
  has "link/ether $mac" || set -- "$@" address "$mac"
  if [ "$master" != '' ]; then
    set -- "$@" master "$master"
  elif has master; then
    set -- "$@" nomaster
  fi
  ip link set dev "$link" "$@" || fail "cannot set up $link" || return 1
  # On its own: what stands on a link that comes up needs all of the above.
  ip link set dev "$link" up || fail "cannot set up $link"
}

remove() {
  look
  if [ "$shown" != '' ] && is_ours; then
    ip link delete dev "$link" || fail "cannot remove $link" || return 1
    shown=
  fi
}

# NAME MAC MTU. A bridge that somebody else made is joined, and left as it is.
bridge_link() {
  link=$1 mac=$2 master=
  [ "$mode" != down ] || { remove; return; }
  look
  find_mtu "$3" || return 1
  case $mode-$shown in
    status-)
      differs "$link is missing"
      return 1
      ;;
    up-)
      # A bridge follows the MTU of its ports until it is changed, and the same one again is no change.
      ip link add name "$link" address "$mac" mtu "$((mtu - 1))" group "$group" type bridge \\
        || fail "cannot make $link" || return 1
      look
      ;;
  esac
  is_a bridge || fail "$link is there and is no bridge" || return 1
  if is_ours && ! is_right; then
    if [ "$mode" = status ]; then differs "$link is not as it should be"; else make_right; fi
  fi
}

# NAME MAC MTU BRIDGE REMOTE FIXED LIVE. The latter two are options of ip link: those of a new link only, and the others.
# shellcheck disable=SC2086
vxlan_link() {
  link=$1 mac=$2 master=$4 remote=$5 fixed=$6 live=$7
  [ "$mode" != down ] || { remove; return; }
  look
  find_mtu "$3" || return 1
  if [ "$shown" != '' ] && ! is_ours; then
    fail "there is a link $link already, and everlan did not make it"
    return 1
  fi
  if [ "$mode" = status ]; then
    [ "$shown" != '' ] || { differs "$link is missing"; return 1; }
    if ! { is_made && shows $live && is_right; }; then differs "$link is not as it should be"; fi
    read_rows
    floods || differs "$link does not flood to $remote"
    return 0
  fi
  if [ "$shown" != '' ] && ! is_made; then remove || return 1; fi
  if [ "$shown" != '' ]; then
    read_rows
    if ! shows $live; then change_vxlan; fi
    floods || remove || return 1
  fi
  if [ "$shown" = '' ]; then
    ip link add name "$link" address "$mac" mtu "$mtu" group "$group" type vxlan $fixed $live \${device:+dev "$device"} \\
      || fail "cannot make $link" || return 1
    look
    read_rows
  fi
  is_right || make_right
}

# What a live link can change. One that does not show it then is removed, to be made anew.
# shellcheck disable=SC2086
change_vxlan() {
  # The kernel takes no remote beside a row to the same address.
  if [ "$remote" != '' ] && lacks "remote $remote" && floods; then
    bridge fdb delete "$zero" dev "$link" dst "$remote" self
  fi
  ip link set dev "$link" type vxlan $live \${device:+dev "$device"} 2>/dev/null
  look
  if shows $live; then read_rows; else remove; fi
}

# --- Rows of a VXLAN link. The kernel keeps one for the remote.

read_rows() {
  kept=" $remote "
  rows=$nl$(bridge fdb show dev "$link") || fail "cannot read the rows of $link"
}

# Whether the row of the remote is there.
floods() {
  [ "$remote" != '' ] || return 0
  case $rows in *"$nl$zero dst $remote "*) ;; *) return 1 ;; esac
}

# MAC VTEP
row() {
  [ "$mode" != down ] || return 0
  [ "$1" != "$zero" ] || kept="$kept$2 "
  case $rows$nl in *"$nl$1 dst $2 self permanent"*) return 0 ;; esac
  case $mode-$1 in
    status-*) differs "$link has no row $1 to $2" ;;
    # One row for each VTEP: all zeros, and MACs with the group bit.
    *-"$zero" | *-?[13579bdf]:*) bridge fdb append "$1" dev "$link" dst "$2" self permanent ;;
    *) bridge fdb replace "$1" dev "$link" dst "$2" self permanent ;;
  esac || fail "cannot put a row $1 to $2 on $link"
}

# Rows for the flood that lead to none of $kept.
# shellcheck disable=SC2086
drop_rows() {
  while read -r row_mac _ vtep rest; do
    [ "$row_mac" = "$zero" ] || continue
    case $kept in *" $vtep "*) continue ;; esac
    if [ "$mode" = status ]; then
      differs "$link floods to $vtep, which is no peer"
    else
      bridge fdb delete "$zero" dev "$link" dst "$vtep" \${rest%self*} self || fail "cannot drop the row to $vtep of $link"
    fi
  done <<END
$rows
END
}

# The rows above are all there are for the flood.
no_other_rows() {
  [ "$mode" = down ] || drop_rows
}

# on or off: transmit checksum offload.
offload() {
  [ "$mode" != down ] || return 0
  if ! command -v ethtool >/dev/null; then
    [ "$1" = on ] || fail "ethtool is missing, which switches off the checksum offload of $link"
    return
  fi
  case $(ethtool -k "$link" 2>/dev/null) in *"tx-checksumming: $1"*) return 0 ;; esac
  if [ "$mode" = status ]; then
    differs "tx checksum offload of $link is not $1"
  else
    ethtool -K "$link" tx "$1" >/dev/null || fail "cannot switch the checksum offload of $link $1"
  fi
}

# NAME BRIDGE: a link that is there already becomes a port.
port() {
  link=$1
  look
  words=$shown
  if [ "$mode" = down ]; then
    if has "master $2"; then ip link set dev "$link" nomaster || fail "cannot take $link out of $2"; fi
  elif [ "$shown" = '' ]; then
    fail "there is no link $link to put into $2"
  elif lacks "master $2"; then
    if [ "$mode" = status ]; then
      differs "$link is not in $2"
    else
      ip link set dev "$link" master "$2" || fail "cannot put $link into $2"
    fi
  fi
}

# --- What stands on a link

# LINK, for the words that follow. Neighbours and routes of ours bear our protocol.
on() {
  link=$1
  addresses=
  neighbours=
  routes=
  kept_neighbours=
  kept_routes=
  look
  [ "$shown" != '' ] || return 0
  addresses=$(ip -o address show dev "$link")
  neighbours=$nl$(ip neighbour show dev "$link" nud permanent proto "$protocol")
  routes=$nl$(ip -4 route show dev "$link" proto "$protocol")$nl$(ip -6 route show dev "$link" proto "$protocol")
  # The kernel drops routes with the addresses that lead to them.
  [ "$mode" != down ] || drop_others
}

# PREFIX
address() {
  there=
  case $addresses in *" $1 "*) there=yes ;; esac
  case $mode-$there in
    up-) ip address add "$1" dev "$link" \${address_protocol:+proto "$address_protocol"} ;;
    status-) differs "$link has no address $1" ;;
    down-yes) ip address delete "$1" dev "$link" ;;
  esac || fail "cannot change the address $1 of $link"
}

# ADDRESS MAC
neighbour() {
  [ "$mode" != down ] || return 0
  kept_neighbours="$kept_neighbours $1 "
  case $neighbours in *"$nl$1 lladdr $2 "*) return 0 ;; esac
  if [ "$mode" = status ]; then
    differs "$link does not know the neighbour $1"
  else
    ip neighbour replace "$1" lladdr "$2" dev "$link" nud permanent protocol "$protocol" \\
      || fail "cannot put the neighbour $1 on $link"
  fi
}

# TO VIA, as ip shows them.
route() {
  case $2 in *:*) family=-6 ;; *) family=-4 ;; esac
  there=
  case $routes in *"$nl$1 via $2 "*) there=yes ;; esac
  kept_routes="$kept_routes $1-$2 "
  case $mode-$there in
    up-) ip "$family" route add "$1" via "$2" dev "$link" proto "$protocol" ;;
    status-) differs "$link has no route to $1 by $2" ;;
  esac || fail "cannot put a route to $1 on $link"
}

# Of neighbours and routes of ours, those above are all there are.
nothing_else() {
  [ "$mode" = down ] || drop_others
}

drop_others() {
  while read -r to _; do
    case $kept_neighbours in *" $to "*) continue ;; esac
    [ "$to" != '' ] || continue
    if [ "$mode" = status ]; then
      differs "$link has a neighbour $to that is no member"
    else
      ip neighbour delete "$to" dev "$link" || fail "cannot drop the neighbour $to of $link"
    fi
  done <<END
$neighbours
END
  while read -r to word via _; do
    [ "$word" = via ] || continue
    case $kept_routes in *" $to-$via "*) continue ;; esac
    case $via in *:*) family=-6 ;; *) family=-4 ;; esac
    if [ "$mode" = status ]; then
      differs "$link has a route to $to that is not wanted"
    else
      ip "$family" route delete "$to" via "$via" dev "$link" proto "$protocol" || fail "cannot drop the route to $to"
    fi
  done <<END
$routes
END
}

# Links of this fabric that are not in $wanted: of an overlay that there was once.
drop_links() {
  found=$(ip -o -d link show) || fail 'cannot read the links' || return 1
  while read -r shown; do
    is_ours || continue
    link=\${shown#*: }
    link=\${link%%: <*}
    case $wanted in *" $link "*) continue ;; esac
    if [ "$mode" = status ]; then
      overlay=$link
      differs 'no overlay has this name'
    else
      ip link delete dev "$link" || fail "cannot remove $link"
    fi
  done <<END
$found
END
}

# --- What is asked for

# LINK: whether the overlays use it as their underlay, or did so when they were made.
is_underlay() {
  case $uses in
    device) [ "$1" = "$named" ] && return ;;
    *) find_holder && [ "$1" = "$holder" ] && return ;;
  esac
  found=$(ip -o -d link show type vxlan) || return 1
  while read -r shown; do
    words=$shown
    is_ours && has "dev $1" && return
  done <<END
$found
END
  return 1
}

run() {
  mode=\${1-}
  case $mode-$# in
    up-* | down-* | status-*) shift ;;
    uses-2)
      is_underlay "$2"
      return
      ;;
    *)
      printf 'usage: %s up|down|status [OVERLAY]...\\n       %s uses LINK\\n' "$me" "$me" >&2
      return 2
      ;;
  esac
  address_protocol=
  case $(ip address help 2>&1) in *proto*) address_protocol=$protocol ;; esac
  [ "$mode" = down ] || find_underlay || return 1
  if [ $# -gt 0 ]; then
    for overlay; do the_overlay; done
  else
    every_overlay
    [ "$mode" != down ] || wanted=
    drop_links
  fi
  [ "$failed" = '' ] || return 1
  [ "$differing" = '' ] || return 3
}
`;
