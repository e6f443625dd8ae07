import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BusAddress, systemBusAddresses } from './address.ts';

test('where the bus is', () => {
  const usual: BusAddress = { path: '/run/dbus/system_bus_socket', folder: '/run/dbus' };
  const cases: readonly { name: string; in: string | undefined; want: readonly BusAddress[] }[] = [
    { name: 'not said', in: undefined, want: [usual] },
    { name: 'empty', in: '', want: [usual] },
    { name: 'a path', in: 'unix:path=/a/b', want: [{ path: '/a/b', folder: '/a' }] },
    { name: 'with more keys', in: 'unix:guid=00,path=/a/b=c,x=y', want: [{ path: '/a/b=c', folder: '/a' }] },
    { name: 'escaped', in: 'unix:path=/a%20b/c%2cd', want: [{ path: '/a b/c,d', folder: '/a b' }] },
    { name: 'abstract', in: 'unix:abstract=/x%3b', want: [{ path: '\0/x;', folder: null }] },
    {
      name: 'several; those that are not for us are left out',
      in: 'tcp:host=localhost,port=1;unix:path=/a;unixexec:path=/bin/sh;unix:dir=/tmp;unix:abstract=b',
      want: [
        { path: '/a', folder: '/' },
        { path: '\0b', folder: null },
      ],
    },
    { name: 'a broken escape', in: 'unix:path=/a%zz', want: [] },
    { name: 'a NUL', in: 'unix:path=/a%00b', want: [] },
    { name: 'nothing to say', in: 'unix:', want: [] },
  ];
  for (const { name, in: address, want } of cases) {
    assert.deepEqual(systemBusAddresses({ DBUS_SYSTEM_BUS_ADDRESS: address }), want, name);
  }
});
