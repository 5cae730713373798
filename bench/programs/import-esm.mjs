import 'antenna-sdk';
